"""Where somebody is signed in: seen, signed out from afar, never by others."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from lora_pipeline.accounts.devices import device_of
from lora_pipeline.models import BrowserSession

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
SIGNED_OUT = 302


def signed_in(username: str, user_agent: str, address: str) -> Client:
    client = Client(HTTP_USER_AGENT=user_agent, REMOTE_ADDR=address)
    words = {"username": username, "password": "correct horse battery"}
    assert client.post("/sign-in", words).status_code == 302
    return client


@pytest.fixture
def desk(owner) -> Client:
    return signed_in("owner", FIREFOX, "192.0.2.1")


@pytest.fixture
def phone(owner) -> Client:
    return signed_in("owner", PHONE, "2001:db8::7")


@pytest.fixture
def other(stranger) -> Client:
    return signed_in("stranger", FIREFOX, "192.0.2.9")


def buttons(client: Client) -> list[str]:
    page = client.get("/sessions").content.decode()
    return re.findall(r'action="(/sessions/[0-9a-f]{32}/end)"', page)


def test_a_user_sees_where_they_are_signed_in(desk, phone, other):
    page = desk.get("/sessions").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "192.0.2.1" in page
    assert "2001:db8::7" in page
    assert "192.0.2.9" not in page
    assert page.count("This session") == 1
    assert page.index("This session") < page.index("Safari on iPhone")


def test_no_key_of_a_session_is_on_the_page(desk, phone):
    page = desk.get("/sessions").content.decode()
    for session in BrowserSession.objects.all():
        assert session.session_key not in page


def test_one_session_is_ended_from_another(desk, phone):
    [button] = buttons(desk)
    assert desk.post(button).status_code == 302
    assert phone.get("/").status_code == SIGNED_OUT
    assert desk.get("/").status_code == 200
    assert desk.post(button).status_code == 404


def test_all_others_are_ended_at_once(desk, phone, other):
    third = signed_in("owner", PHONE, "192.0.2.3")
    desk.post("/sessions/others/end")
    assert [phone.get("/").status_code, third.get("/").status_code] == [302, 302]
    assert desk.get("/").status_code == other.get("/").status_code == 200


def test_nobody_ends_a_strangers_session(desk, other):
    [theirs] = [
        row.handle for row in BrowserSession.objects.all() if row.address == "192.0.2.1"
    ]
    assert other.post(f"/sessions/{theirs}/end").status_code == 404
    assert other.get(f"/sessions/{theirs}/end").status_code == 405
    other.post("/sessions/others/end")
    assert desk.get("/").status_code == 200


def test_a_new_password_signs_out_everywhere_else(desk, phone):
    words = {
        "old_password": "correct horse battery",
        "new_password1": "staple battery horse",
        "new_password2": "staple battery horse",
    }
    assert desk.post("/password", words).status_code == 302
    assert phone.get("/").status_code == SIGNED_OUT
    assert desk.get("/").status_code == 200


def test_last_use_is_noted_once_a_minute(desk):
    past = timezone.now() - timedelta(minutes=2)
    BrowserSession.objects.update(last_seen_at=past, address="192.0.2.77")
    desk.get("/password")
    noted = BrowserSession.objects.get()
    assert noted.last_seen_at - past > timedelta(minutes=1)
    assert noted.address == "192.0.2.1"
    desk.get("/password")
    assert BrowserSession.objects.get().last_seen_at == noted.last_seen_at


def test_sessions_that_ended_are_neither_shown_nor_kept(desk, phone):
    BrowserSession.objects.filter(address="2001:db8::7").update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert "Safari" not in desk.get("/sessions").content.decode()
    call_command("clearsessions")
    assert BrowserSession.objects.count() == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537 Edg/130.0",
         "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537.36",
         "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown device"),
    ],
)  # fmt: skip
def test_a_device_is_named_by_browser_and_system(user_agent, words):
    assert device_of(user_agent) == words
