"""The console's own addresses: as they are set, served and asked."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.test import Client, RequestFactory
from django.urls import set_script_prefix
from django.utils import timezone

from lora_pipeline import env
from lora_pipeline.operations import reachability
from lora_pipeline.processes import ports
from lora_pipeline.processes.arrivals import client_of
from lora_pipeline.web import addresses, own_address
from lora_pipeline.wsgi import Handler
from notifications.models import Notification
from notifications.sending.addresses import confirmation_path
from notifications.sending.channels import link_of
from tests.factories import TrainingJobFactory, UserFactory
from tests.trainer.conftest import ROOT
from training.launchers import local
from training.models import RunAttempt
from training.runs import reach

NAME = "LORA_PIPELINE_PUBLIC_URL"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("https://Console.Example.org/", "https://console.example.org"),
        ("https://console.example.org:443", "https://console.example.org"),
        ("https://console.example.org:8443", "https://console.example.org:8443"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://例え.テスト:8443/lora/", "https://xn--r8jz45g.xn--zckzah:8443/lora"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://example.org/a/b-c", "https://example.org/a/b-c"),
        ("", ""),
    ],
)
def test_an_address_is_kept_as_browsers_write_it(given, known, monkeypatch):
    monkeypatch.setenv(NAME, given)
    assert env.web_address(NAME) == known


@pytest.mark.parametrize(
    "given",
    [
        "https://example.org/?x=1",
        "https://example.org/#top",
        "https://ada:secret@example.org",
        "https://example.org/a b",
        "https://example.org/../x",
        "https://example.org/a%2Fb",
        "https://example.org/api",
        "https://example.org:port",
        "https://exa mple.org",
        "ftp://example.org",
        "example.org",
    ],
)
def test_an_address_that_cannot_be_is_refused_in_words(given, monkeypatch):
    monkeypatch.setenv(NAME, given)
    with pytest.raises(env.BadSetting, match=f"{NAME}=.* is invalid: use a "):
        env.web_address(NAME)


def test_the_variable_wins_over_what_up_left_behind(settings, tmp_path):
    settings.BASE_URL_FILE = tmp_path / "base_url"
    settings.BASE_URL = ""
    asked = (own_address.trainers_url, local.console_url)
    assert {ask() for ask in asked} == {"http://127.0.0.1:8000"}
    settings.BASE_URL_FILE.write_text("http://127.0.0.1:8001")
    assert {ask() for ask in asked} == {"http://127.0.0.1:8001"}
    settings.BASE_URL = "http://127.0.0.1:8002"
    assert {ask() for ask in asked} == {"http://127.0.0.1:8002"}


class Below(BaseHTTPRequestHandler):
    """What the doctor may find at an address."""

    def do_GET(self) -> None:
        status, headers, body = self.server.says.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server():
    server = HTTPServer(("127.0.0.1", 0), Below)
    server.says, server.url = {}, f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_doctor_asks_where_trainers_are_sent(server, settings):
    settings.BASE_URL = server.url
    server.says["/healthz"] = (200, {}, b"ok\n")
    assert [f.level for f in reachability.trainers_address()] == ["ok"]
    server.says["/healthz"] = (200, {}, b"<html>")
    [found] = reachability.trainers_address()
    assert "something else answers there" in found.words
    settings.BASE_URL = "http://127.0.0.1:1"
    [found] = reachability.trainers_address()
    assert (found.level, found.part) == ("fault", "address")
    assert "http://127.0.0.1:1: Connection refused" in found.words
    assert "LORA_PIPELINE_BASE_URL" in found.remedy


def test_doctor_finds_a_circle_of_redirects_and_a_wrong_path(server, settings):
    settings.PUBLIC_URL = f"{server.url}/lora"
    page = "/lora/sign-in"

    def judged(status: int, **headers: str) -> tuple[str, str]:
        server.says[page] = (status, headers, b"")
        [found] = reachability.public_address()
        return found.level, f"{found.words}; {found.remedy}"

    assert judged(200)[0] == "ok"
    level, words = judged(301, Location=f"{server.url}{page}")
    assert level == "fault"
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in words
    level, words = judged(301, Location="https://other.example/")
    assert (level, "must be the URL" in words) == ("fault", True)
    assert "Host $http_host" in judged(400)[1]
    assert "the whole path" in judged(404)[1]
    settings.PUBLIC_URL = "http://127.0.0.1:1"
    [found] = reachability.public_address()
    assert found.level == "warning"


@pytest.fixture
def silent(db, settings, tmp_path):
    """An attempt whose trainer was started a minute ago and never reported."""
    settings.BASE_URL = "http://127.0.0.1:1"
    job = TrainingJobFactory(user=UserFactory(), status="initializing")
    long_ago = timezone.now() - timedelta(minutes=1)
    return RunAttempt.objects.create(
        job=job, number=1, token_hash="t", launched_at=long_ago
    )


def test_a_job_says_that_its_trainer_cannot_reach_the_console(silent, server, settings):
    reach.note_reach(silent)
    silent.job.refresh_from_db()
    words = "its trainer cannot reach the console at http://127.0.0.1:1"
    assert silent.job.status_note.startswith(f"{words} (Connection refused)")
    settings.BASE_URL = server.url
    server.says["/healthz"] = (200, {}, b"ok\n")
    reach.note_reach(silent)
    silent.job.refresh_from_db()
    assert silent.job.status_note == ""


def test_a_trainer_that_reports_is_not_asked_after(silent):
    silent.last_event_at = timezone.now()
    reach.note_reach(silent)
    silent.job.refresh_from_db()
    assert silent.job.status_note == ""


def test_links_in_messages_are_below_the_public_url(settings):
    settings.PUBLIC_URL = "https://example.org/training"
    for prefix in ("/", "/training/"):  # a worker's thread has none, a request has one
        set_script_prefix(prefix)
        try:
            notice = Notification(action_url=TrainingJobFactory.build(pk="1").path)
            assert link_of(notice) == "https://example.org/training/training/jobs/1"
            path = confirmation_path(UserFactory.build().pk, "a@example.org")
            assert path.startswith("/notifications/")
        finally:
            set_script_prefix("/")


@pytest.fixture
def below_lora(settings):
    settings.SUB_PATH = settings.FORCE_SCRIPT_NAME = "/lora"
    settings.STATIC_URL = "/lora/static/"
    return Handler()


def asked(handler: Handler, path: str) -> tuple[str, dict[str, str], str]:
    got = {}

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        got.update(status=status, headers=dict(headers))

    environ = RequestFactory()._base_environ(PATH_INFO=path)
    try:
        body = b"".join(handler(environ, start)).decode()
    finally:
        set_script_prefix("/")
    return got["status"], got["headers"], body


@pytest.mark.parametrize("way", ["/lora", ""], ids=["by the proxy", "directly"])
def test_pages_below_a_path_stay_below_it(way, below_lora, db):
    status, _, page = asked(below_lora, f"{way}/sign-in")
    assert status.startswith("200")
    assert '"/lora/static/css/base.css"' in page
    assert 'href="/static' not in page
    status, headers, _ = asked(below_lora, f"{way}/datasets")
    assert status.startswith("302")
    assert headers["Location"] == "/lora/sign-in?next=/lora/datasets"
    status, headers, body = asked(below_lora, f"{way}/api/jobs")
    assert status.startswith("401")
    assert '"not_authenticated"' in body
    assert asked(below_lora, f"{way}/healthz")[0].startswith("200")
    assert asked(below_lora, "/lorax/sign-in")[0][:3] in {"302", "404"}


def test_a_proxy_that_does_not_say_the_scheme_is_named_once_an_hour(
    settings, caplog, monkeypatch
):
    settings.PUBLIC_URL = "https://console.example:8443"
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, 1
    now = [0.0]
    monkeypatch.setattr(addresses.time, "monotonic", lambda: now[0])
    asked = addresses.ProxiesWords(lambda request: None)

    def ask(host: str, **headers: str) -> int:
        caplog.clear()
        asked(RequestFactory().get("/", HTTP_HOST=host, **headers))
        return caplog.text.count(addresses.NGINX_LINE)

    now[0] = 1.0
    assert ask("127.0.0.1:8000") == 0
    assert ask("console.example", HTTP_X_FORWARDED_PROTO="https") == 0
    assert ask("console.example:8443") == 1
    assert ask("console.example") == 0
    now[0] += 3601
    assert ask("console.example") == 1


def test_a_console_behind_a_proxy_says_at_its_start_what_that_must_send(
    settings, caplog
):
    caplog.set_level("INFO")
    addresses.say_what_the_proxy_must_send()
    assert addresses.NGINX_LINE not in caplog.text
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, 1
    addresses.say_what_the_proxy_must_send()
    assert addresses.NGINX_LINE in caplog.text


def test_an_ipv4_client_of_a_socket_for_both_is_itself(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="::ffff:192.0.2.7")
    assert addresses.client_address(request) == "192.0.2.7"
    assert client_of(b"", "::ffff:192.0.2.7", 0, is_proxy=False) == "192.0.2.7"
    assert client_of(b"", "2001:db8::7", 0, is_proxy=False) == "2001:db8::/64"
    assert Client().get("/metrics", REMOTE_ADDR="::ffff:192.0.2.7").status_code == 403


def test_a_host_is_written_as_sockets_and_urls_want_it():
    for given in ("::1", "[::1]"):
        assert ports.in_url(ports.bare(given)) == "[::1]"
    assert ports.in_url(ports.bare("127.0.0.1")) == "127.0.0.1"


def test_where_the_console_listens_is_a_host_it_takes():
    own = {"LORA_PIPELINE_BASE_URL": "http://192.0.2.7:8000", NAME: ""}
    code = "import django; django.setup(); from django.conf import settings as s; "
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print(s.ALLOWED_HOSTS)"],
        env=os.environ | own | {"DJANGO_SETTINGS_MODULE": "lora_pipeline.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "'192.0.2.7'" in done.stdout, done.stderr
