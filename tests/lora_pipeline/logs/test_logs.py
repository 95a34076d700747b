"""What is logged, under which id, and what never is."""

import io
import json
import logging
import logging.config
import re

import pytest
from django.test import Client

from lora_pipeline.logs.configuration import logging_settings
from lora_pipeline.logs.redaction import GONE, redactor

SECRETS = {
    "api key": "lp_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "run token": "run_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "hub token": "hf_abcdefghijklmnopqrstuvwxyz0123456789",
    "signing secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
    "hook": "T0123ABCD/B0123ABCD/abcdefghijklmnop",
    "password": "correct-horse-battery",
}
REQUESTS = "lora_pipeline.requests"
LINES = [
    "Authorization: Bearer {api key}",
    "{{'Authorization': 'Bearer {run token}'}}",
    "the run token {run token} is unknown",
    "https://user:{password}@database.example/x",
    "posting to https://hooks.slack.com/services/{hook} failed",
    "posting to https://discord.com/api/webhooks/{hook} failed",
    "HF_TOKEN={hub token}",
    "secret={signing secret}&x=1",
    'password: "{password}", user: "owner"',
    "Cookie: sessionid={password}; csrftoken={password}",
]


@pytest.fixture(params=["text", "json"])
def log(request):
    """The console's own handler, writing where the test can read."""
    configuration = logging_settings(form=request.param, level="DEBUG")
    written = io.StringIO()
    configuration["handlers"]["console"]["stream"] = written
    configuration["loggers"] = {REQUESTS: {"level": "INFO"}}
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(configuration)
    yield written
    logging.getLogger(REQUESTS).setLevel("WARNING")
    logging.root.handlers[:], logging.root.level = before


@pytest.mark.parametrize("line", LINES)
def test_no_secret_stands_in_a_line(log, line):
    words = line.format(**SECRETS)
    logging.getLogger("x").warning("before %s", words)
    logging.getLogger("x").warning("extra", extra={"found": words})
    try:
        raise ValueError(words)
    except ValueError:
        logging.getLogger("x").exception("an error")
    said = log.getvalue()
    assert said.count(GONE) >= 2
    for secret in SECRETS.values():
        assert secret not in said


def test_what_only_resembles_a_secret_stays(log):
    words = "job 0f8c5a9d-3f7b-4e0f-9a54-a8a0f7f4c1de: 39 tokens a second, loss 0.71"
    logging.getLogger("x").warning(words)
    assert words in log.getvalue()
    assert GONE not in log.getvalue()


def test_the_settings_own_secrets_are_known_as_they_are():
    redact = redactor(["a very plain word", "short", ""])
    assert redact("said a very plain word, short") == f"said {GONE}, short"


def test_the_row_that_the_database_refused_is_not_quoted(log):
    quoted = 'null value in column "x"\nDETAIL:  Failing row contains (private text).'
    logging.getLogger("x").error("%s", quoted)
    assert "private text" not in log.getvalue()
    assert "null value in column" in log.getvalue()


def test_a_line_of_json_has_the_same_fields_always():
    written = io.StringIO()
    configuration = logging_settings(form="json", level="INFO")
    configuration["handlers"]["console"]["stream"] = written
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(configuration)
    logging.getLogger("x").info("hello %s", "world")
    logging.root.handlers[:], logging.root.level = before
    found = json.loads(written.getvalue())
    assert found.pop("at")
    assert found.pop("process")
    assert found == {
        "level": "INFO",
        "logger": "x",
        "request_id": "-",
        "message": "hello world",
    }


def test_a_request_is_logged_without_its_query(log, db):
    Client().get("/sign-in?next=/private-words", headers={"X-Request-ID": "abcd1234"})
    Client().get("/api/jobs?search=private-words")
    said = log.getvalue()
    assert "GET /sign-in 200" in said
    assert "abcd1234" in said
    assert "Unauthorized: /api/jobs" in said
    assert said.count("[-]") == said.count('"request_id": "-"') == 0
    assert "private-words" not in said


@pytest.mark.parametrize("given", ["0f8c5a9d3f7b4e0f", "trace-1.2_x", "A" * 64])
def test_a_sane_request_id_is_taken_over(client, db, given):
    answer = client.get("/sign-in", headers={"X-Request-ID": given})
    assert answer["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    ["", "short", "x" * 65, "with space", "new\nline12", "<b>12345678", "ünïcödé1"],
)
def test_any_other_is_replaced(client, db, given):
    answer = client.get("/sign-in", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


def test_refusals_carry_an_id_too(client, db):
    for path in ("/no-such-page", "/api/no-such-call", "/static/none.css"):
        assert len(client.get(path)["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/api/presets", "/"])
def test_our_own_fault_names_the_id_of_its_request(
    browser_of_owner, monkeypatch, path, log
):
    def broken(*args, **kwargs):
        raise RuntimeError("inner words")

    monkeypatch.setattr("training.catalogue.api.PresetView.get", broken, raising=True)
    monkeypatch.setattr("training.home.views.work_of", broken)
    browser_of_owner.raise_request_exception = False
    answer = browser_of_owner.get(path, headers={"X-Request-ID": "abcd1234"})
    assert answer.status_code == 500
    assert answer["X-Request-ID"] == "abcd1234"
    assert "abcd1234" in answer.content.decode()
    assert "inner words" not in answer.content.decode()
    assert re.search(r"(\[|\"request_id\": \")abcd1234", log.getvalue())
    assert "inner words" in log.getvalue()
