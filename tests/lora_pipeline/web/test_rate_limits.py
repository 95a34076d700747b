"""Requests a minute: by address, by user, and of who tries passwords and keys."""

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from lora_pipeline.web.rate_limits import counted_address
from tests.openapi import conforms


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch, db):
    """Nothing was counted before, and no minute begins within the test."""
    cache.clear()
    monkeypatch.setattr(
        "lora_pipeline.web.rate_limits.time.time", lambda: 1_000_000_015.0
    )
    yield
    cache.clear()


def test_an_address_that_asks_too_much_is_told_when_to_come_back(
    settings, browser_of_owner, api
):
    settings.ADDRESS_REQUESTS_PER_MINUTE = 3
    assert [browser_of_owner.get("/").status_code for _ in range(3)] == [200] * 3
    answer = browser_of_owner.get("/")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "5"
    assert "Try again in 5 s" in answer.content.decode()
    body = conforms(api.get("/api/jobs"), "GET", "/api/jobs")
    assert body["code"] == "throttled"


def test_another_address_is_still_answered(settings, browser_of_owner):
    settings.ADDRESS_REQUESTS_PER_MINUTE = 1
    codes = [
        browser_of_owner.get("/", REMOTE_ADDR=address).status_code
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert codes == [200, 429, 200]


def test_a_user_who_asks_for_too_many_pages_is_limited_from_any_address(
    settings, browser_of_owner, stranger
):
    settings.API_REQUESTS_PER_MINUTE = 2
    codes = [
        browser_of_owner.get("/", REMOTE_ADDR=f"192.0.2.{n}").status_code
        for n in range(3)
    ]
    assert codes == [200, 200, 429]
    other = Client()
    other.force_login(stranger)
    assert other.get("/").status_code == 200


def test_wrong_passwords_close_the_address_to_strangers_only(
    settings, owner, browser_of_owner
):
    settings.REFUSED_SIGN_INS_PER_MINUTE = 3
    guess = {"username": "owner", "password": "wrong"}
    codes = [Client().post("/sign-in", guess).status_code for _ in range(5)]
    assert codes[3:] == [429, 429]
    assert 429 not in codes[:3]
    assert Client().get("/sign-in").status_code == 429
    assert browser_of_owner.get("/").status_code == 200


def test_guessed_keys_close_the_address_too(settings, api):
    settings.REFUSED_SIGN_INS_PER_MINUTE = 3
    thief = APIClient()
    thief.credentials(HTTP_AUTHORIZATION="Bearer lp_guess")
    codes = [thief.get("/api/jobs").status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]


def test_right_passwords_and_keys_are_not_counted_as_guesses(settings, owner, api):
    settings.REFUSED_SIGN_INS_PER_MINUTE = 1
    right = {"username": "owner", "password": "correct horse battery"}
    assert [Client().post("/sign-in", right).status_code for _ in range(3)] == [302] * 3
    assert [api.get("/api/jobs").status_code for _ in range(3)] == [200] * 3


def test_a_trainers_reports_are_never_too_many(settings):
    settings.ADDRESS_REQUESTS_PER_MINUTE = 1
    path = "/api/runs/11111111-1111-1111-1111-111111111111/spec"
    assert [Client().get(path).status_code for _ in range(3)] == [401] * 3


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "not an address", ""),
    ],
)
def test_an_address_is_what_the_nearest_trusted_proxy_saw(
    settings, proxies, forwarded, found
):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded}
    )
    assert counted_address(request) == found
