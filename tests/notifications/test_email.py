"""E-mail through a real SMTP server on this machine."""

import email

import pytest

from notifications.messages import CHOSEN, KINDS
from notifications.models import Delivery, Notification
from notifications.preferences import choose
from notifications.sending.attempt import try_delivery
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
