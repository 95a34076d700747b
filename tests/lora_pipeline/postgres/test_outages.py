"""A database that is away is the caller's to wait for, not the console's fault."""

import time

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client
from procrastinate.exceptions import ConnectorException

from lora_pipeline.accounts import authentication, backends
from lora_pipeline.postgres.backend.outages import is_outage
from lora_pipeline.postgres.backend.patience import answers_within


def wrapped(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


AWAY = [
    wrapped(OperationalError("too many clients"), psycopg.errors.TooManyConnections()),
    wrapped(OperationalError("shutting down"), psycopg.errors.AdminShutdown()),
    wrapped(OperationalError("starting up"), psycopg.errors.CannotConnectNow()),
    wrapped(OperationalError("refused"), psycopg.OperationalError("refused")),
    InterfaceError("the connection is closed"),
    wrapped(ConnectorException(), OperationalError("lost")),
]
OURS = [
    wrapped(OperationalError("deadlock"), psycopg.errors.DeadlockDetected()),
    wrapped(OperationalError("cancelled"), psycopg.errors.QueryCanceled()),
    ProgrammingError("no such table"),
    ValueError("x"),
    None,
]


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_away(error):
    assert is_outage(error)


@pytest.mark.parametrize("error", OURS, ids=str)
def test_not_away(error):
    assert not is_outage(error)


def refuse(*args: object, **kwargs: object) -> None:
    raise AWAY[0]


def test_a_call_of_the_api_gets_503_and_when_to_ask_again(api, monkeypatch):
    monkeypatch.setattr(authentication.KEY, "one", refuse)
    answer = api.get("/api/jobs")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"


def test_a_page_gets_503_also_where_its_session_cannot_be_read(
    browser_of_owner: Client, monkeypatch
):
    monkeypatch.setattr(backends.Users, "get_user", refuse)
    browser_of_owner.raise_request_exception = False
    answer = browser_of_owner.get("/datasets")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database is not available" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_waited_for_as_long_as_was_said():
    begun = time.monotonic()
    with answers_within(0.2), pytest.raises(OperationalError, match="did not answer"):
        connection.cursor().execute("SELECT pg_sleep(20)")
    assert time.monotonic() - begun < 5
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        assert cursor.fetchone() == (7,)


def test_probes_are_asked_by_address(db, settings):
    settings.ALLOWED_HOSTS = ["console.example"]
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().get(path, HTTP_HOST="10.1.2.3:8000").status_code != 400
