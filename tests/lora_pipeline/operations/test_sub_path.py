"""The console below a path of another site, behind nginx as shipped; and on IPv6."""

import http.cookiejar
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from lora_pipeline.postgres import embedded
from tests.lora_pipeline.operations.test_deploy import (
    AROUND,
    DEPLOY,
    NGINX,
    Deployed,
    certificate,
    free_port,
    needs_nginx,
)
from tests.trainer.conftest import MANAGE, ROOT, Console

HEAD = """
upstream lora_pipeline {{ server 127.0.0.1:{web}; keepalive 32; }}
limit_conn_zone $binary_remote_addr zone=lora_pipeline_addresses:10m;
server {{
    listen 127.0.0.1:{tls} ssl;
    server_name localhost;
    ssl_certificate {folder}/fullchain.pem;
    ssl_certificate_key {folder}/privkey.pem;
    location / {{ return 418; }}
    include {folder}/snippet.conf;
}}
"""
LINK = re.compile(r'\b(?:href|src|action|hx-(?:get|post|put|delete|patch))="([^"]*)"')
PASSWORD = "correct horse battery"
SET_PASSWORD = f"""
from lora_pipeline.models import User
owner = User.objects.get(username="owner")
owner.set_password({PASSWORD!r})
owner.save()
"""
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class BelowAPath(Deployed):
    """The same, at https://localhost:PORT/lora."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder, database)
        self.url += "/lora"
        self.environment["LORA_PIPELINE_PUBLIC_URL"] = self.url

    def start(self) -> None:
        for command in (["migrate", "-v", "0"], ["collectstatic", "--no-input"]):
            self.run(sys.executable, MANAGE, *command).check_returncode()
        certificate(self.folder)
        text = (DEPLOY / "nginx-sub-path.conf").read_text()
        text = text.replace("/var/lib/lora-pipeline", str(self.var))
        (self.folder / "snippet.conf").write_text(text)
        places = {"web": self.web, "tls": self.tls, "folder": self.folder}
        (self.folder / "site.conf").write_text(HEAD.format(**places))
        whole = self.folder / "nginx.conf"
        whole.write_text(AROUND.format(folder=self.folder, user="user root;"))
        self.spawn("nginx", NGINX, "-c", whole)
        self.start_programs()


class Browser:
    """Cookies, forms and links, as far as a crawl needs them."""

    def __init__(self, url: str) -> None:
        self.url, self.jar = url, http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(cookies)

    def get(self, url: str, data: dict[str, str] | None = None) -> tuple[str, str]:
        asked = urllib.request.Request(url, headers={"Referer": self.url})
        if data is not None:
            asked.data = urllib.parse.urlencode(data).encode()
        with self.opener.open(asked, timeout=30) as answer:
            kind = answer.headers["Content-Type"] or ""
            body = answer.read()
            assert answer.url.startswith(self.url), (url, answer.url)
        return answer.url, body.decode() if kind.startswith("text/html") else ""

    def crawl(self, start: str) -> set[str]:
        """Every page and file that a page links to, each asked once."""
        seen, ahead = set(), [start]
        while ahead:
            url = ahead.pop()
            if url in seen or "sign-out" in url:
                continue
            seen.add(url)
            final, page = self.get(url)
            for link in LINK.findall(page):
                link = link.replace("&amp;", "&")
                target = urllib.parse.urljoin(final, link).partition("#")[0]
                if not target.startswith(("http:", "https:")):
                    continue
                own = target.startswith(self.url.partition("/lora")[0])
                assert not own or target.startswith(self.url), (final, link)
                if own and "?" not in target and is_page(page, link):
                    ahead.append(target)
        return seen


def is_page(page: str, link: str) -> bool:
    """Whether a link may be followed: forms that post are not."""
    return f'action="{link}"' not in page and f'hx-post="{link}"' not in page


@pytest.fixture
def below(own_server, tmp_path, monkeypatch):
    server = embedded.hold(own_server)
    database = (
        f"postgres://{server.user}:{server.password}@/{server.name}?host={server.host}"
    )
    console = BelowAPath(tmp_path, database)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "fullchain.pem"))
    console.environment["SSL_CERT_FILE"] = str(tmp_path / "fullchain.pem")
    tmp_path.chmod(0o755)
    yield console
    console.stop()
    console.end_runs()


@needs_nginx
@pytest.mark.trainer
@pytest.mark.long
def test_a_console_below_a_path_of_another_site(below, tiny_model):
    below.start()
    below.prepare(tiny_model)
    dataset = below.upload(40)
    job = below.start_job(dataset, epochs=1)
    ended = below.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    below.shell(SET_PASSWORD)
    browser = Browser(below.url)
    _, page = browser.get(f"{below.url}/sign-in")
    assert "/lora/static/css/base.css" in page
    words = {"csrfmiddlewaretoken": CSRF.search(page)[1], "username": "owner"}
    final, page = browser.get(
        f"{below.url}/sign-in?next=/lora/datasets", words | {"password": PASSWORD}
    )
    assert final == f"{below.url}/datasets", page[:2000]
    assert {cookie.path for cookie in browser.jar} == {"/lora"}
    seen = browser.crawl(f"{below.url}/")
    paths = {url.removeprefix(below.url) for url in seen}
    assert {"/", "/datasets", "/costs", f"/training/jobs/{job}", "/keys"} <= paths
    assert any(path.startswith("/static/") for path in paths)
    notices = below.api("/notifications")["notifications"]
    assert notices
    final, _ = browser.get(f"{below.url}/notifications/{notices[0]['id']}")
    assert final.startswith(f"{below.url}/training/jobs/")
    status, headers, _ = below.answer("/static/css/base.css")
    assert (status, headers["Server"].partition("/")[0]) == (200, "nginx")
    assert below.answer("/metrics")[0] == 404
    told = below.run(sys.executable, MANAGE, "doctor").stdout
    assert f"ok       address     browsers reach {below.url}" in told
    assert f"ok       address     trainers reach http://127.0.0.1:{below.web}" in told


@pytest.mark.long
@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_up_on_ipv6(host, tmp_path):
    console = Console(tmp_path)
    port = free_port()
    up = subprocess.Popen(
        [sys.executable, MANAGE, "up", "--host", host, "--port", str(port)],
        env=console.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://[::1]:{port}"
        for line in up.stdout:
            if "is running at" in line:
                assert url in line
                break
        with urllib.request.urlopen(f"{url}/sign-in", timeout=20) as page:
            assert page.status == 200
        if host == "::":
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                assert b"200" in plain.recv(100)
        assert (console.var / "base_url").read_text() == url
    finally:
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=60)
    assert not (console.var / "base_url").exists()
