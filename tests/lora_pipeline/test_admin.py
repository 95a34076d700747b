"""The admin is for staff, who see everybody's rows."""

from django.test import Client

from lora_pipeline.models import User
from tests.factories import TrainingJobFactory


def test_an_operator_reads_every_job(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, name="Somebody's job")
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    for page in ("training/trainingjob/", f"training/trainingjob/{job.pk}/change/"):
        answer = client.get(f"/admin/{page}")
        assert answer.status_code == 200
        assert "Somebody&#x27;s job" in answer.content.decode()
    assert client.get("/admin/training/gputype/CPU/change/").status_code == 200
    assert client.get("/admin/lora_pipeline/user/").status_code == 200


def test_a_user_who_is_not_staff_is_refused(browser_of_owner):
    assert browser_of_owner.get("/admin/training/trainingjob/").status_code == 403
