"""A program that is older than its database refuses, and never answers a bare 500."""

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.test import Client

from lora_pipeline.operations import doctor
from lora_pipeline.postgres import versions
from lora_pipeline.postgres.refusals import NEWER_STATUS, DatabaseRefused
from lora_pipeline.web import failures
from tests.training.jobs.test_api import body

NEXT = "training.0099_next"


def as_owner(*statements: str, values: tuple[str, ...] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        for statement in statements:
            cursor.execute(statement, values or None)
        cursor.execute("SET ROLE lp_operator")


def applied(*migration: str) -> None:
    columns = "INSERT INTO django_migrations (app, name, applied)"
    as_owner(f"{columns} VALUES (%s, %s, now())", values=migration)


@pytest.fixture
def newer(db) -> None:
    applied("training", "0099_next")


@pytest.fixture
def with_a_new_column(db) -> None:
    """What a later migration could bring, and what this program does not fill."""
    as_owner(
        "ALTER TABLE training_jobs ADD COLUMN owner_team int NOT NULL DEFAULT 1",
        "ALTER TABLE training_jobs ALTER COLUMN owner_team DROP DEFAULT",
    )


@pytest.mark.django_db
def test_this_version_knows_its_own_database():
    versions.require_known_database()
    assert (versions.newer(), versions.missing()) == ([], [])


def test_what_is_not_ours_is_nobodys_newer_version(db):
    applied("invoices", "0001_initial")
    versions.require_known_database()


@pytest.mark.parametrize(
    "command", [["web"], ["work", "--once"], ["reconcile"], ["wait_for_database"]]
)
def test_no_process_starts_on_a_newer_database(newer, command):
    with pytest.raises(DatabaseRefused, match=NEXT) as refused:
        call_command(*command)
    assert refused.value.returncode == NEWER_STATUS
    assert "Install the newer version" in str(refused.value)


def test_migrate_and_so_up_refuse_it_before_any_change(newer):
    found = run_checks(tags=[Tags.database], databases=["default"])
    assert [message.id for message in found] == ["lora_pipeline.E005"]
    assert NEXT in found[0].msg


def test_doctor_and_the_probe_name_it(newer):
    [finding] = [f for f in doctor.examine() if f.part == "migrations"]
    assert finding.level == "fault"
    assert NEXT in finding.words
    missing = Client().get("/readyz").json()["missing"]
    assert NEXT in missing["migrations"]


def test_a_job_that_the_database_would_not_take_is_a_503(
    newer, with_a_new_column, api, dataset
):
    api.raise_request_exception = False
    answer = api.post("/api/jobs", body(dataset, preset_id="fast"), format="json")
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert "upgraded" in answer.json()["error"]
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize(("path", "kind"), [("/", "html"), ("/api/jobs", "json")])
def test_columns_that_are_gone_are_a_503_on_every_door(newer, rf, path, kind):
    try:
        raise ProgrammingError('column "status_note" does not exist')
    except ProgrammingError as error:
        failure = failures.known(error)
        assert failure is not None
        answer = failures.answer(rf.get(path), failure)
    assert answer.status_code == 503
    assert kind in answer.headers["Content-Type"]


def test_without_a_newer_version_it_is_our_fault(with_a_new_column, api, dataset):
    api.raise_request_exception = False
    answer = api.post("/api/jobs", body(dataset, preset_id="fast"), format="json")
    assert answer.status_code == 500
