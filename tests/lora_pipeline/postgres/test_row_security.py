"""The database itself shows nobody else's rows, whatever the code forgets."""

import pytest
from django.db import connection
from django.test import Client

from datasets.models import Dataset, DatasetQuerySet
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.postgres import row_security
from tests.acting import act_for
from tests.factories import DatasetFactory, TrainingJobFactory
from training.models import TrainingJob
from training.models.jobs import TrainingJobQuerySet


@pytest.fixture
def rows(owner, stranger):
    return [
        TrainingJobFactory(user=owner, dataset=DatasetFactory(user=owner)),
        TrainingJobFactory(user=stranger, dataset=DatasetFactory(user=stranger)),
    ]


def test_without_the_owner_filter_only_own_rows_come_back(rows, owner, stranger):
    act_for(stranger.pk)
    assert [d.user_id for d in Dataset.objects.all()] == [stranger.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM training_jobs")
        assert cursor.fetchall() == [(stranger.pk,)]


def test_the_next_user_of_the_connection_sees_nothing_of_the_last(
    rows, owner, stranger
):
    act_for(owner.pk)
    row_security.reset()
    act_for(stranger.pk)
    assert [job.user_id for job in TrainingJob.objects.all()] == [stranger.pk]


def test_a_forgotten_user_sees_nothing(rows):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE lp_web")
        cursor.execute("SELECT set_config('app.user_id', '', false)")
    assert not TrainingJob.objects.exists()


def test_nobody_writes_a_row_for_somebody_else(rows, owner, stranger):
    from django.db import ProgrammingError, transaction

    act_for(stranger.pk)
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Dataset.objects.create(user=owner, name="planted", file_name="a")


@pytest.fixture(autouse=True)
def leave(db):
    yield
    row_security.reset()


def test_views_without_their_owner_filter_still_show_only_own_rows(
    rows, owner, stranger, api, stranger_api, monkeypatch
):
    """Both users by turns, by key and by session, through the one connection."""
    monkeypatch.setattr(TrainingJobQuerySet, "visible_to", lambda self, user: self)
    monkeypatch.setattr(DatasetQuerySet, "visible_to", lambda self, user: self)
    browsers = {owner: Client(), stranger: Client()}
    for user, browser in browsers.items():
        browser.force_login(user)
    scripts = {owner: api, stranger: stranger_api}
    first, second = rows
    for user, own, foreign in [(owner, first, second), (stranger, second, first)] * 3:
        found = scripts[user].get("/api/jobs").json()["data"]["jobs"]
        assert [job["id"] for job in found] == [str(own.pk)]
        found = scripts[user].get("/api/datasets").json()["data"]["datasets"]
        assert [dataset["id"] for dataset in found] == [str(own.dataset_id)]
        page = browsers[user].get("/training/jobs").content.decode()
        assert str(own.pk) in page
        assert str(foreign.pk) not in page
        assert browsers[user].get(foreign.get_absolute_url()).status_code == 404
        assert scripts[user].get(f"/api/jobs/{foreign.pk}").status_code == 404


def test_a_key_alone_says_who_asks_beside_somebodys_session(owner, stranger):
    theirs = DatasetFactory(user=stranger)
    DatasetFactory(user=owner)
    client = Client()
    client.force_login(owner)
    secret = create_api_key(owner=stranger, name="tests")[1]
    answer = client.get("/api/datasets", headers={"Authorization": f"Bearer {secret}"})
    found = answer.json()["data"]["datasets"]
    assert [row["id"] for row in found] == [str(theirs.pk)]
