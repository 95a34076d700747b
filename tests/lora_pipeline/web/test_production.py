"""The settings of a console that others reach over HTTPS."""

import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from tests.trainer.conftest import MANAGE, ROOT

ADDRESS = "https://console.example"
ASK = """
import json
from django.conf import settings as s
print(json.dumps([s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS, s.SESSION_COOKIE_SECURE,
    s.SECURE_PROXY_SSL_HEADER, s.SECURE_HSTS_SECONDS]))
"""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    quiet = {"DJANGO_ALLOW_ASYNC_UNSAFE": ""}
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | quiet | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_djangos_deployment_checks_have_nothing_to_say():
    check = (MANAGE, "check", "--deploy", "--fail-level", "WARNING")
    done = run(*check, LORA_PIPELINE_PUBLIC_URL=ADDRESS)
    assert done.returncode == 0, done.stderr
    assert run(*check, LORA_PIPELINE_PUBLIC_URL="").returncode == 1


def test_an_https_address_is_all_that_a_deployment_has_to_name():
    ask = ("-c", "import django; django.setup()" + ASK)
    module = {"DJANGO_SETTINGS_MODULE": "lora_pipeline.settings"}
    there = run(*ask, **module, LORA_PIPELINE_PUBLIC_URL=f"{ADDRESS}:8443/")
    hosts, origins, secure, proxy, hsts = json.loads(there.stdout)
    assert hosts == ["console.example", "localhost", "127.0.0.1", "[::1]"]
    assert origins == [f"{ADDRESS}:8443"]
    assert (secure, hsts) == (True, 31_536_000)
    assert proxy == ["HTTP_X_FORWARDED_PROTO", "https"]
    alone = run(*ask, **module, LORA_PIPELINE_PUBLIC_URL="")
    assert json.loads(alone.stdout)[2:] == [False, None, 0]


@pytest.mark.parametrize("given", ["console.example", "ftp://console.example", "//x"])
def test_an_address_that_is_none_stops_the_start(given):
    done = run(MANAGE, "check", LORA_PIPELINE_PUBLIC_URL=given)
    assert done.returncode == 1
    assert f"LORA_PIPELINE_PUBLIC_URL='{given}'" in done.stderr


@pytest.fixture
def over_https(settings, db) -> Client:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 60
    return Client()


def test_http_is_sent_to_https_except_what_asks_past_the_proxy(over_https):
    answer = over_https.get("/sign-in")
    assert (answer.status_code, answer["Location"]) == (
        301,
        "https://testserver/sign-in",
    )
    run_spec = "/api/runs/00000000-0000-4000-8000-000000000000/spec"
    assert over_https.get(run_spec).status_code == 401


def test_cookies_are_secure_and_out_of_reach_of_scripts(over_https, owner):
    words = {"username": "owner", "password": "correct horse battery"}
    answer = over_https.post("/sign-in", words, secure=True)
    assert answer.status_code == 302
    assert answer["Strict-Transport-Security"].startswith("max-age=60")
    for name in ("sessionid", "csrftoken"):
        cookie = answer.cookies[name]
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_every_answer_says_what_a_browser_may_do(client, db):
    for path in ("/sign-in", "/no-such-page", "/api/no-such-call", "/static/css/x.css"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
