"""E-mail through a real SMTP server on this machine."""

import email
import email.policy
import re
import time
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone

from notifications.messages import CHOSEN, KINDS
from notifications.models import Delivery, Notification
from notifications.preferences import choose
from notifications.sending.addresses import (
    LINK_SECONDS,
    confirmation_path,
    confirmed_address,
)
from notifications.sending.attempt import try_delivery
from notifications.sending.channels import in_header
from notifications.services import tell
from tests.tasks import run_worker

VALUES = {
    "job_name": "My job",
    "dataset_name": "chats",
    "words": "as it is",
    "gpu_count": 1,
    "gpu_type": "CPU",
    "spent_usd": "8.00",
    "budget_usd": "10.00",
    "host": "hooks.example",
    "failures": 10,
}


@pytest.fixture
def address(owner):
    owner.email = "owner@example.com"
    owner.save()
    return owner.email


@pytest.mark.django_db(transaction=True)
def test_every_kind_arrives_by_mail_where_it_was_chosen(owner, address, inbox):
    choose(user=owner, choices=dict.fromkeys(CHOSEN, (True, False)))
    for kind in CHOSEN:
        tell(user_id=owner.pk, kind=kind, values=VALUES, action_url="/training/jobs/1")
    run_worker()
    arrived = {}
    for recipients, raw in inbox.got:
        assert recipients == [address]
        message = email.message_from_string(raw)
        text = message.get_payload(decode=True).decode()
        arrived[message["Subject"]] = " ".join(text.split())
    for kind in CHOSEN:
        text = arrived.pop(f"[LoRA Pipeline] {KINDS[kind].title}")
        assert KINDS[kind].filled(VALUES) in text
        assert "/training/jobs/1" in text
    assert arrived == {}
    assert not Delivery.objects.exclude(status="delivered").exists()


def test_without_an_address_nothing_is_sent(owner, inbox):
    tell(user_id=owner.pk, kind="job_failed", values=VALUES)
    assert not Delivery.objects.exists()


def test_without_a_mail_server_nothing_is_sent(owner, address, settings):
    settings.EMAIL_HOST = ""
    tell(user_id=owner.pk, kind="job_failed", values=VALUES)
    assert not Delivery.objects.exists()


def test_a_mail_server_that_is_away_is_tried_again(owner, address, inbox, settings):
    tell(user_id=owner.pk, kind="job_failed", values=VALUES)
    delivery = Delivery.objects.get()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    assert try_delivery(delivery.pk) == 10.0
    settings.EMAIL_PORT = port
    assert try_delivery(delivery.pk) is None
    assert len(inbox.got) == 1


def test_a_name_with_a_line_end_makes_no_header(owner, address, inbox):
    notice = Notification.objects.create(
        user=owner, type="job_failed", title="a\nBcc: x@example.com", message="m"
    )
    delivery = Delivery.objects.create(
        notification=notice, channel="email", target=address
    )
    assert try_delivery(delivery.pk) is None
    [(recipients, raw)] = inbox.got
    assert recipients == [address]
    assert email.message_from_string(raw)["Bcc"] is None


NAMES = {
    "line ends": "a\r\nBcc: x@example.com",
    "a lone return": "a\rBcc: x@example.com",
    "an old line end": "a\x0bBcc: x@example.com\x0cCc: y@example.com",
    "separators": "a\u2028Bcc: x@example.com\u2029\x85Cc: y@example.com",
    "NUL": "a\0\x1c\nBcc: x@example.com",
    "folded": "a" * 150 + "\n Bcc: x@example.com",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
def test_no_name_makes_a_header(name, owner, address, inbox):
    notice = Notification.objects.create(
        user=owner, type="job_failed", title=name.replace("\0", ""), message=name[:1]
    )
    delivery = Delivery.objects.create(
        notification=notice, channel="email", target=address
    )
    assert try_delivery(delivery.pk) is None
    [(recipients, raw)] = inbox.got
    assert recipients == [address]
    message = email.message_from_string(raw, policy=email.policy.default)
    assert set(message.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert in_header(name).isprintable()


@pytest.mark.parametrize("target", ["a@b.example\nBcc: x@example.com", "a,b@c.d", "x"])
def test_what_is_no_address_gets_nothing_and_is_settled(target, owner, inbox):
    notice = Notification.objects.create(user=owner, type="test", title="T", message="")
    delivery = Delivery.objects.create(
        notification=notice, channel="email", target=target
    )
    assert try_delivery(delivery.pk) is None
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert "not an e-mail address" in delivery.error
    assert inbox.got == []


def test_another_address_is_taken_once_its_link_was_opened(
    owner, address, inbox, browser_of_owner
):
    page = "/notifications/settings"
    answer = browser_of_owner.post(page, {"email": "new@example.com"}, follow=True)
    assert "mailed to new@example.com to confirm" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.email == address
    assert try_delivery(Delivery.objects.get().pk) is None
    [(recipients, raw)] = inbox.got
    assert recipients == ["new@example.com"]
    text = email.message_from_string(raw).get_payload(decode=True).decode()
    link = re.search(r"/notifications/settings/confirm\?token=\S+", text)[0]
    for place in ("/notifications", "/notifications/deliveries", page):
        assert link not in browser_of_owner.get(place).content.decode()
    browser_of_owner.get(link)
    owner.refresh_from_db()
    assert owner.email == "new@example.com"


def test_a_link_works_for_its_user_alone_and_for_a_day(owner, stranger):
    client = Client()
    client.force_login(stranger)
    link = confirmation_path(owner.pk, "new@example.com")
    client.get(link)
    client.get("/notifications/settings/confirm?token=nonsense")
    stranger.refresh_from_db()
    assert stranger.email == ""
    token = unquote(link.partition("token=")[2])
    assert confirmed_address(owner.pk, token) == "new@example.com"
    with freeze(LINK_SECONDS + 1):
        assert confirmed_address(owner.pk, token) is None


@contextmanager
def freeze(later: float):
    now = time.time()
    with mock.patch("django.core.signing.time.time", return_value=now + later):
        yield


def test_an_address_is_removed_at_once(owner, address, browser_of_owner):
    browser_of_owner.post("/notifications/settings", {"email": ""})
    owner.refresh_from_db()
    assert owner.email == ""


def test_only_a_few_mails_an_hour_are_sent_for_the_asking(
    owner, address, inbox, browser_of_owner, settings
):
    settings.TEST_MAILS_PER_HOUR = 3
    test, page = "/notifications/settings/test-email", "/notifications/settings"
    assert browser_of_owner.post(test).url == "/notifications/deliveries"
    for n in range(2):
        answer = browser_of_owner.post(page, {"email": f"new{n}@example.com"})
        assert answer.status_code == 302
    for refused in (
        browser_of_owner.post(test),
        browser_of_owner.post(page, {"email": "more@example.com"}),
    ):
        assert refused.status_code == 429
        assert 3500 < int(refused.headers["Retry-After"]) <= 3600
        assert "try again in 60 min" in refused.content.decode()
    assert Delivery.objects.count() == 3
    hour_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.filter(notification__type="test").update(created_at=hour_ago)
    assert browser_of_owner.post(test).status_code == 302
