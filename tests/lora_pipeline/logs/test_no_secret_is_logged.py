"""Secrets and training text go in by every door; then the console's log is searched."""

import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest

from tests.trainer.conftest import Console, chat, stub_settings

TEXT = "the copper button of Saint Elmo"
PASSWORD = "correct horse battery"
WRONG = "an almost right password"
HUB_TOKEN = "hf_abcdefghijklmnopqrstuvwxyz0123456789"
MAIL_PASSWORD = "the mail server's word"
SLACK = "T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx"
STRAY_KEY = "lp_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
STRAY_TOKEN = "run_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    var = tmp_path_factory.mktemp("console")
    settings = stub_settings(tmp_path_factory.mktemp("stub"))
    made = Console(
        var,
        **settings,
        LOG_FORMAT="json",
        LOG_LEVEL="DEBUG",
        HF_TOKEN=HUB_TOKEN,
        WEBHOOK_ALLOW_PRIVATE="1",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT="9",
        EMAIL_HOST_PASSWORD=MAIL_PASSWORD,
    )
    made.start()
    made.prepare(var)
    yield made
    made.close()


def refused(console, path: str, body: bytes = b"", **headers: str) -> int:
    request = urllib.request.Request(console.url + path, body or None, headers)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=20)
    return error.value.code


def raw(console, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", console.port), timeout=20) as peer:
        peer.sendall(words)
        return peer.recv(100)


def sign_in(console, password: str) -> list[str]:
    """Sign in as a browser does; the cookies' values."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{console.url}/sign-in", timeout=20).read().decode()
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    words = {"username": "owner", "password": password, "csrfmiddlewaretoken": token}
    browser.open(
        f"{console.url}/sign-in", urllib.parse.urlencode(words).encode(), timeout=20
    ).close()
    return [token, *(cookie.value for cookie in jar)]


def knock_everywhere(console) -> list[str]:
    """All that must not be in the log afterwards."""
    cookies = sign_in(console, WRONG) + sign_in(console, PASSWORD)
    stray = {"Authorization": f"Bearer {STRAY_KEY}"}
    own = {"Authorization": f"Bearer {console.key}"}
    as_json = own | {"Content-Type": "application/json"}
    assert refused(console, "/api/jobs", **stray) == 401
    run = "/api/runs/00000000-0000-4000-8000-000000000000/spec"
    assert refused(console, run, Authorization=f"Bearer {STRAY_TOKEN}") == 401
    assert refused(console, f"/api/nothing?key={STRAY_KEY}") == 404
    assert refused(console, "/api/jobs", f'{{"x": "{TEXT}'.encode(), **as_json) == 400
    unreadable = f"--x\r\nbroken {TEXT}".encode()
    form = own | {"Content-Type": "multipart/form-data; boundary=x"}
    assert refused(console, "/api/datasets", unreadable, **form) == 400
    for line in (
        f"GET /?k={STRAY_KEY} HTTP/9.9\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {STRAY_KEY}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {STRAY_TOKEN}.example\r\n\r\n",
        f"G\0T {STRAY_TOKEN} {TEXT}\r\n\r\n",
    ):
        assert b"400" in raw(console, line.encode())
    hook = f"http://127.0.0.1:9/services/{SLACK}"
    secret = console.api("/webhooks", {"url": hook})["secret"]
    return [*cookies, secret]


def train(console) -> None:
    rows = [{"messages": chat(n)} for n in range(20)]
    rows[3]["messages"][1]["content"] = TEXT
    dataset = console.upload_rows(rows)
    job = console.start_job(dataset)
    console.wait_for_end(job)
    nobody = json.dumps({"messages": [{"role": "nobody", "content": TEXT}]})
    body = (
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"'
        f"\r\n\r\n{nobody}\r\n--x--\r\n"
    ).encode()
    found = console.api("/datasets", body, "multipart/form-data; boundary=x")
    path = f"/datasets/{found['id']}"
    console.wait(lambda: console.api(path)["status"] == "error", 60)


@pytest.mark.long
def test_no_secret_and_no_training_text_is_logged(console):
    secrets = knock_everywhere(console)
    train(console)
    kept = (console.var / "secret_key").read_text()
    console.stop()
    log = (console.var / "up.log").read_text()
    outputs = [p.read_text() for p in console.var.glob("runs/*/attempts/*/output.log")]
    forbidden = [TEXT, PASSWORD, WRONG, HUB_TOKEN, MAIL_PASSWORD, SLACK, STRAY_KEY]
    forbidden += [STRAY_TOKEN, console.key, kept, *secrets]
    assert [words for words in forbidden if words in log] == []
    assert not re.search(r"\b(lp|run|hf|whsec)_[\w-]{20,}", log)
    assert outputs
    assert not [o for o in outputs if re.search(r"run_[\w-]{20,}|hf_\w{20,}", o)]
    lines = [line for line in log.splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in lines]
    assert {"GET /sign-in 200", "POST /sign-in 302"} <= {x["message"] for x in found}
    assert all(len(x["request_id"]) >= 8 for x in found if "path" in x)
