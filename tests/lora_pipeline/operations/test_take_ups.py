"""Tasks that kill their worker: taken up again twice, then given up in words."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from datasets.models import Dataset
from datasets.tasks import validate_dataset
from lora_pipeline.files.scratch import scratch_folder
from lora_pipeline.models import TaskDeath
from notifications.models import Delivery, Notification
from notifications.tasks import deliver
from tests.factories import AdapterFactory, DatasetFactory, UserFactory
from training.adapters.tasks import answer_question, export_merged
from training.models import AdapterExport, AdapterQuestion

ROOT = Path(__file__).parents[3]
# A worker whose tasks end it as a lack of memory would.
WORKER = """
import os, signal, sys
from pathlib import Path
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
options = settings.DATABASES["default"].setdefault("OPTIONS", {{}})
options["assume_role"] = "lp_operator"
django.setup()
from django.core.management import call_command
from lora_pipeline.management.commands import work
from lora_pipeline.operations import take_ups
import datasets.checking.check, notifications.sending.attempt, training.adapters.work
take_ups.DEAD_AFTER_SECONDS, work.HEARTBEAT_SECONDS = 1.5, 0.3

def die(*args, **options):
    with Path({log!r}).open("a") as log:
        log.write("died\\n")
    os.kill(os.getpid(), signal.SIGKILL)

if {deadly!r}:
    datasets.checking.check.check_structure = die
    training.adapters.work.fetched = die
    notifications.sending.attempt._send = die
call_command("work", concurrency=1, grace=0.1)
"""


class Workers:
    """One worker after another, as a supervisor would start them."""

    def __init__(self, tmp_path: Path) -> None:
        self.log = tmp_path / "deaths"
        self.log.touch()

    @property
    def deaths(self) -> int:
        return len(self.log.read_text().splitlines())

    def run_until(
        self, condition, *, deadly: bool = True, seconds: float = 120
    ) -> None:
        name = connection.settings_dict["NAME"]
        code = WORKER.format(name=name, log=str(self.log), deadly=deadly)
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings"}
        until, process = time.monotonic() + seconds, None
        try:
            while not condition():
                assert time.monotonic() < until, f"{self.deaths} deaths"
                if process is None or process.poll() is not None:
                    process = subprocess.Popen(
                        [sys.executable, "-c", code], cwd=ROOT, env=environment
                    )
                time.sleep(0.2)
        finally:
            if process is not None:
                process.kill()
                process.wait()


@pytest.fixture
def workers(tmp_path) -> Workers:
    return Workers(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_a_check_that_kills_three_workers_is_given_up_with_a_fault(owner, workers):
    path = default_storage.save("datasets/x/original", ContentFile(b"{}\n"))
    dataset = DatasetFactory(user=owner, status="validating", storage_path=path)
    left = Path(settings.UPLOAD_DIR) / f"check-{dataset.pk}.left.scratch"
    left.mkdir()
    (left / "in-use").touch()
    validate_dataset.defer(dataset_id=str(dataset.pk))

    def settled():
        dataset.refresh_from_db()
        return dataset.is_settled

    workers.run_until(settled)
    assert workers.deaths == 3
    assert (dataset.status, dataset.training_ready) == ("error", False)
    assert dataset.fault_counts == {"check_ended": 1}
    assert TaskDeath.objects.get().count == 3
    assert not left.exists()
    told = Notification.objects.get(user=owner)
    assert told.type == "dataset_error"


@pytest.mark.django_db(transaction=True)
def test_a_merge_and_a_delivery_that_kill_three_workers_end_as_failed(owner, workers):
    export = AdapterExport.objects.create(adapter=AdapterFactory(user=owner))
    notice = Notification.objects.create(user=owner, type="job_queued", title="t")
    delivery = Delivery.objects.create(
        notification=notice, channel="email", target="a@example.org"
    )
    export_merged.defer(export_id=str(export.pk))
    deliver.defer(delivery_id=str(delivery.pk))

    def settled():
        export.refresh_from_db()
        delivery.refresh_from_db()
        return export.is_settled and delivery.is_settled

    workers.run_until(settled, seconds=240)
    # A worker that has both under way when one kills it dies once for both.
    assert 3 <= workers.deaths <= 6
    assert [death.count for death in TaskDeath.objects.all()] == [3, 3]
    assert (export.status, delivery.status) == ("failed", "failed")
    assert "three times" in export.error
    assert "three times" in delivery.error


@pytest.mark.django_db(transaction=True)
def test_a_question_that_kills_three_workers_ends_as_failed(owner, workers):
    question = AdapterQuestion.objects.create(
        adapter=AdapterFactory(user=owner), question="?", max_new_tokens=8
    )
    answer_question.defer(question_id=str(question.pk))
    left = Path(settings.UPLOAD_DIR) / f"adapter-{question.adapter_id}.left.scratch"
    left.mkdir()
    (left / "in-use").touch()

    def settled():
        question.refresh_from_db()
        return question.is_settled

    workers.run_until(settled)
    assert workers.deaths == TaskDeath.objects.get().count == 3
    assert question.status == "failed"
    assert "three times" in question.error
    assert not left.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_once_costs_nothing(owner, workers):
    content = b'{"messages": [{"role": "user", "content": "Hi"}, ' \
        b'{"role": "assistant", "content": "Hello"}]}\n'  # fmt: skip
    path = default_storage.save("datasets/x/original", ContentFile(content))
    storage = default_storage.location
    dataset = DatasetFactory(user=owner, status="validating", storage_path=path)
    validate_dataset.defer(dataset_id=str(dataset.pk))
    workers.run_until(lambda: workers.deaths == 1)
    assert Path(storage, path).exists()

    def taken_up():
        return TaskDeath.objects.filter(count=1).exists()

    workers.run_until(taken_up, deadly=False)
    dataset.refresh_from_db()
    assert dataset.status != "error" or "check_ended" not in dataset.fault_counts


@pytest.mark.django_db(transaction=True)
def test_a_task_that_failed_for_good_leaves_nothing_waiting(owner, workers):
    """Its last try ended in an error of ours, which nobody had told the owner."""
    dataset = DatasetFactory(user=owner, status="validating", storage_path="gone")
    job_id = validate_dataset.defer(dataset_id=str(dataset.pk))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job_id]
        )
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job_id]
        )

    def settled():
        dataset.refresh_from_db()
        return dataset.is_settled

    workers.run_until(settled, deadly=False)
    assert dataset.fault_counts == {"our_fault": 1}


def test_scratch_of_the_dead_goes_and_of_the_living_stays(tmp_path, settings):
    settings.UPLOAD_DIR = tmp_path
    with scratch_folder("check-1") as alive:
        (alive / "rows").touch()
        dead = tmp_path / "check-1.dead.scratch"
        dead.mkdir()
        (dead / "in-use").touch()
        with scratch_folder("check-1") as another:
            assert another.is_dir()
            assert (alive / "rows").exists()
            assert not dead.exists()
    assert not list(tmp_path.glob("check-*"))


@pytest.mark.django_db
def test_what_waits_too_long_is_named(owner, settings):
    from training.operators import overdue

    fresh = DatasetFactory(user=owner, status="validating")
    late = DatasetFactory(user=owner, status="validating", name="secret chats")
    hours_ago = timezone.now() - timedelta(hours=2)
    Dataset.objects.filter(pk=late.pk).update(updated_at=hours_ago)
    export = AdapterExport.objects.create(adapter=AdapterFactory(user=owner))
    AdapterExport.objects.filter(pk=export.pk).update(created_at=hours_ago)
    found = overdue.overdue(timezone.now())
    assert [(o.kind, o.id) for o in found] == [
        ("dataset", str(late.pk)), ("merge", str(export.pk)),
    ]  # fmt: skip
    assert {o.user for o in found} == {owner.username}
    findings = list(overdue.waiting())
    assert {f.level for f in findings} == {"warning"}
    assert str(late.pk) in findings[0].words
    assert "secret" not in str(findings)
    assert str(fresh.pk) not in str(findings)
    operator = Client()
    operator.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = operator.get("/admin/fleet").content.decode()
    assert "Waiting too long" in page
    assert str(export.pk) in page
