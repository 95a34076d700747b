"""Signing in: how passwords are kept, and what becomes of somebody who guesses."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security
from lora_pipeline.web.addresses import client_address

RIGHT, WRONG = "correct horse battery", "a wrong password"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
LIMIT = 5


@pytest.fixture
def as_web(monkeypatch, owner):
    """Requests begin as the role that the web server connects as."""
    monkeypatch.setattr(row_security, "_opened_as", lambda: "lp_web")
    row_security.reset()


def sign_in(password: str, username: str = "owner", address: str = HERE, **headers):
    words = {"username": username, "password": password}
    return Client().post("/sign-in", words, REMOTE_ADDR=address, **headers)


def words_of(answer) -> str:
    return answer.content.decode().partition("<main")[2]


def guess(times: int = LIMIT, **where):
    for _ in range(times):
        answer = sign_in(WRONG, **where)
    return answer


def test_passwords_are_kept_as_argon2_and_old_hashes_become_so(settings, db):
    hashers = "django.contrib.auth.hashers"
    settings.PASSWORD_HASHERS = [
        f"{hashers}.Argon2PasswordHasher",
        f"{hashers}.PBKDF2PasswordHasher",
    ]
    user = User.objects.create_user("new", password=RIGHT)
    assert user.password.startswith("argon2$argon2id$")
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    user.set_password(RIGHT)
    user.save()
    assert user.password.startswith("pbkdf2_sha256$")
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    assert sign_in(RIGHT, "new").status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")


def test_argon2_is_what_the_console_is_set_to():
    from lora_pipeline import settings

    assert settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")


def test_guessing_locks_the_user_out_for_a_while_and_says_how_long(as_web):
    assert guess(LIMIT - 1).status_code == 200
    answer = sign_in(WRONG)
    assert answer.status_code == 429
    assert 890 <= int(answer["Retry-After"]) <= 900
    assert "5 failed sign-ins" in answer.content.decode()
    assert "Try again in 15 min" in answer.content.decode()
    assert sign_in(RIGHT).status_code == 429


def test_the_lock_is_for_one_user_from_one_address(as_web, stranger):
    guess()
    assert sign_in(RIGHT, "stranger").status_code == 302
    assert sign_in(RIGHT, address=ELSEWHERE).status_code == 302
    assert sign_in(RIGHT).status_code == 429


def test_another_browser_name_does_not_open_the_lock(as_web):
    for number in range(LIMIT):
        answer = sign_in(WRONG, HTTP_USER_AGENT=f"browser {number}")
    assert answer.status_code == 429
    assert sign_in(RIGHT, HTTP_USER_AGENT="yet another").status_code == 429


def test_knocking_on_a_lock_does_not_make_it_longer(as_web):
    guess()
    past = timezone.now() - timedelta(minutes=10)
    AccessAttempt.objects.update(attempt_time=past)
    assert 290 <= int(sign_in(WRONG)["Retry-After"]) <= 300
    AccessAttempt.objects.update(attempt_time=past - timedelta(minutes=6))
    assert sign_in(RIGHT).status_code == 302


def test_a_right_password_forgets_the_wrong_ones(as_web):
    guess(LIMIT - 1)
    assert sign_in(RIGHT).status_code == 302
    assert guess(LIMIT - 1).status_code == 200


def test_a_user_that_does_not_exist_is_locked_out_in_the_same_words(as_web):
    unknown, known = guess(username="nobody"), guess()
    assert unknown.status_code == known.status_code == 429
    assert words_of(unknown) == words_of(known)


def test_an_address_that_the_client_invents_is_not_believed(as_web, settings):
    for number in range(LIMIT):
        answer = sign_in(WRONG, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert answer.status_code == 429
    settings.TRUSTED_PROXIES = 1
    for number in range(LIMIT):
        named = f"198.51.100.{number}, 203.0.113.9"
        answer = sign_in(WRONG, address="127.0.0.1", HTTP_X_FORWARDED_FOR=named)
    assert answer.status_code == 429
    through = {"address": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.10"}
    assert sign_in(RIGHT, **through).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "198.51.100.1", HERE),
        (1, None, HERE),
        (1, "", HERE),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "198.51.100.9, 2001:db8::1", "2001:db8::1"),
        (2, "198.51.100.9, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", HERE),
        (1, "unknown", None),
    ],
)
def test_the_address_is_what_the_outermost_proxy_saw(
    rf, settings, proxies, forwarded, found
):
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = rf.get("/", REMOTE_ADDR=HERE, **headers)
    assert client_address(request) == found


def test_odd_names_and_addresses_are_refused_like_wrong_ones(as_web):
    for name in ("\0", "x" * 400, "ünï", "' OR 1=1 --"):
        assert sign_in(WRONG, name).status_code == 200
    assert sign_in(WRONG, address="nonsense").status_code == 200
    assert sign_in(WRONG, HTTP_USER_AGENT="x" * 5000).status_code == 200


def test_no_password_is_kept_among_the_attempts(as_web):
    guess(2)
    kept = AccessAttempt.objects.values().get()
    assert WRONG not in str(kept)
