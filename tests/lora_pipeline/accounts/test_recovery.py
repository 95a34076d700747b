"""A password that was lost: by mail, by command, by a superuser's page."""

import getpass
import re

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from lora_pipeline.accounts import recovery
from lora_pipeline.models import User
from lora_pipeline.tasks import mail_reset_link
from tests.factories import UserFactory

NEW = "a quite new pass phrase"
BOTH = {"new_password1": NEW, "new_password2": NEW}


@pytest.fixture
def ada(db, settings) -> User:
    settings.EMAIL_HOST = "mail.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PUBLIC_URL = "https://console.example/lora"
    cache.clear()
    return UserFactory(username="ada", email="ada@example.org")


def queued() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args ->> 'user_id' FROM procrastinate_jobs WHERE task_name = %s",
            [recovery.TASK],
        )
        return [user_id for (user_id,) in cursor.fetchall()]


def locked_out() -> None:
    """As after five wrong passwords."""
    AccessAttempt.objects.create(
        username="ada", attempt_time=timezone.now(), failures_since_start=5
    )


def ask(address: str) -> str:
    answer = Client().post("/password/forgotten", {"email": address}, follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in"
    return answer.content.decode()


def link_to(user: User) -> str:
    mail_reset_link(user_id=str(user.pk))
    [found] = re.findall(r"https://console\.example/lora(/\S+)", mail.outbox[-1].body)
    return found


def test_a_link_is_mailed_and_sets_a_new_password_once(ada):
    assert recovery.SENT in ask("ADA@example.org")
    assert queued() == [str(ada.pk)]
    link = link_to(ada)
    assert mail.outbox[0].to == ["ada@example.org"]
    browser = Client()
    answer = browser.get(link)
    assert (answer.status_code, answer["Location"]) == (302, "/password/new")
    assert "ada" in browser.get("/password/new").content.decode()
    weak = browser.post("/password/new", {"new_password1": "1", "new_password2": "1"})
    assert "too short" in weak.content.decode()
    locked_out()
    assert browser.post("/password/new", BOTH)["Location"] == "/sign-in"
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert not AccessAttempt.objects.filter(username="ada").exists()
    again = Client().get(link, follow=True)
    assert again.status_code == 410
    assert "used already" in again.content.decode()


def test_nobody_learns_who_has_an_address_and_nobody_is_flooded(ada):
    known, unknown = ask("ada@example.org"), ask("nobody@example.org")
    assert recovery.SENT in known
    assert recovery.SENT in unknown
    for _ in range(5):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
        ask("ada@example.org")
    assert queued() == []


@pytest.mark.parametrize("change", ["inactive", "password", "address"])
def test_a_link_ends_with_what_it_was_made_for(ada, change):
    link = link_to(ada)
    if change == "inactive":
        ada.is_active = False
    elif change == "password":
        ada.set_password("another one by now")
    else:
        ada.email = "other@example.org"
    ada.save()
    assert Client().get(link, follow=True).status_code == 410


@pytest.mark.parametrize("user", ["", "x", "0" * 32])
def test_a_link_that_is_none_is_refused(ada, user):
    answer = Client().get(f"/password/new?user={user}&token=a-b", follow=True)
    assert answer.status_code == 410
    assert Client().post("/password/new", BOTH).status_code == 410


def test_without_mail_it_says_whom_to_ask(db, settings):
    settings.EMAIL_HOST = ""
    page = Client().get("/password/forgotten").content.decode()
    assert "manage.py changepassword" in page
    Client().post("/password/forgotten", {"email": "ada@example.org"})
    assert queued() == []
    assert "/password/forgotten" in Client().get("/sign-in").content.decode()


def test_an_operator_sets_it_by_command_and_unlocks(ada, monkeypatch):
    monkeypatch.setattr(getpass, "getpass", lambda prompt="": NEW)
    call_command("changepassword", "ada")
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    locked_out()
    call_command("axes_reset_username", "ada")
    assert not AccessAttempt.objects.exists()


def test_a_superuser_sets_it_in_the_admin(ada):
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = f"/admin/lora_pipeline/user/{ada.pk}/password/"
    body = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.post(page, body).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(NEW)
