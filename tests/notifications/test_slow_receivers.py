"""Receivers that are slow on purpose: each exchange ends in time, nobody else waits."""

import itertools
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.core import mail

from lora_pipeline.operations.retention import Freed
from lora_pipeline.tasks import clean_up
from notifications.models import Delivery, Notification, Webhook
from notifications.sending import deadline
from notifications.sending.attempt import BUSY_SECONDS, try_delivery
from notifications.sending.rest import REST_AFTER
from notifications.sending.slots import most_of, slot_of
from notifications.services import tell
from notifications.webhooks import add_webhook
from tests.factories import UserFactory
from tests.tasks import run_worker

VALUES = {"job_name": "My job", "words": "it is over"}
SECONDS = 1.0


class Trickler:
    """Takes connections, reads nothing, and says a byte every tenth of a second."""

    def __init__(self, *says: bytes) -> None:
        self.said = says
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(
                    target=self._trickle, args=(client,), daemon=True
                ).start()

    def _trickle(self, client: socket.socket) -> None:
        first, *again = self.said
        with client, suppress(OSError):
            for byte in itertools.chain(first, itertools.cycle(b"".join(again))):
                client.send(bytes([byte]))
                if self.over.wait(0.1):
                    return

    def close(self) -> None:
        self.over.set()
        self.socket.close()


ANSWERS = {
    "a status line": (b"HTTP/1.1 200 O", b"K"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "preliminary answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks": (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@pytest.fixture
def trickler(request, settings) -> Iterator[Trickler]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_SECONDS = SECONDS
    made = Trickler(*request.param)
    yield made
    made.close()


def delivery_to(user, url: str) -> Delivery:
    hook = Webhook.objects.create(user=user, url=url, secret="whsec_YWJj")
    notice = Notification.objects.create(user=user, type="test", title="T", message="M")
    return Delivery.objects.create(
        notification=notice, channel="webhook", webhook=hook, target=url
    )


def seconds_of(delivery: Delivery) -> float:
    began = time.monotonic()
    try_delivery(delivery.pk)
    delivery.refresh_from_db()
    return time.monotonic() - began


@pytest.mark.parametrize("trickler", ANSWERS.values(), indirect=True, ids=list(ANSWERS))
def test_an_answer_of_a_byte_at_a_time_ends_in_time(owner, trickler):
    sent = delivery_to(owner, f"http://127.0.0.1:{trickler.port}/")
    assert seconds_of(sent) < SECONDS + 0.8
    assert sent.status == "retrying"
    assert "longer than 1 s" in sent.error or "timed out" in sent.error


@pytest.mark.parametrize(
    "trickler", [(b"\x16\x03\x03\x40\x00", b"\x02")], indirect=True
)
def test_a_handshake_of_a_byte_at_a_time_ends_in_time(owner, trickler):
    sent = delivery_to(owner, f"https://127.0.0.1:{trickler.port}/")
    assert seconds_of(sent) < SECONDS + 0.8
    assert sent.status == "retrying"


def test_a_receiver_that_reads_nothing_ends_in_time(owner, settings):
    settings.WEBHOOK_ALLOW_PRIVATE, settings.WEBHOOK_SECONDS = True, SECONDS
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sent = delivery_to(owner, url)
        Notification.objects.update(message="x" * 20_000_000)
        assert seconds_of(sent) < SECONDS + 1.5
    assert sent.status == "retrying"


@pytest.fixture
def slow_names(monkeypatch) -> Iterator[threading.Event]:
    """A resolver that does not answer until the test is over."""
    over = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        over.wait(30)
        raise OSError("no such name")

    monkeypatch.setattr(deadline.socket, "getaddrinfo", getaddrinfo)
    yield over
    over.set()


def test_a_name_that_takes_long_ends_in_time(owner, slow_names, settings):
    settings.WEBHOOK_SECONDS = SECONDS
    sent = delivery_to(owner, "https://slow.example/")
    assert seconds_of(sent) < SECONDS + 0.8
    assert "not resolved in time" in sent.error


def test_only_so_many_names_are_looked_up_at_a_time(slow_names):
    for _ in range(deadline.MOST_LOOKUPS):
        with pytest.raises(TimeoutError):
            deadline.look_up("slow.example", 443, deadline.Deadline(0.01))
    with pytest.raises(OSError, match="too many names"):
        deadline.look_up("slow.example", 443, deadline.Deadline(0.01))
    slow_names.set()
    time.sleep(0.3)
    with pytest.raises(OSError, match="could not be resolved"):
        deadline.look_up("slow.example", 443, deadline.Deadline(5))


@pytest.mark.parametrize("trickler", [(b"", b"220-wait\r\n")], indirect=True)
def test_a_mail_server_of_a_byte_at_a_time_ends_in_time(trickler, settings):
    settings.EMAIL_BACKEND = "notifications.sending.mail.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", trickler.port
    settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, SECONDS
    began = time.monotonic()
    with pytest.raises((OSError, smtplib.SMTPException)):
        mail.EmailMessage("s", "b", "a@example.com", ["b@example.com"]).send()
    assert time.monotonic() - began < SECONDS + 0.8


DONE_AT: list[float] = []


def note_time(*_: object, **__: object) -> Freed:
    DONE_AT.append(time.monotonic())
    return Freed("nothing")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trickler", [ANSWERS["headers"]], indirect=True)
def test_no_other_task_waits_for_a_slow_receiver(owner, trickler, settings):
    settings.WEBHOOK_SECONDS = 4.0
    settings.RETENTION_RULES = {
        "RETENTION_UPLOAD_DAYS": "tests.notifications.test_slow_receivers.note_time"
    }
    for n in range(4):
        add_webhook(owner=owner, url=f"http://127.0.0.1:{trickler.port}/{n}")
    tell(user_id=owner.pk, kind="job_completed", values=VALUES)
    clean_up.defer(timestamp=0)
    DONE_AT.clear()
    began = time.monotonic()
    run_worker()
    assert DONE_AT[0] - began < 4.0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trickler", [ANSWERS["headers"]], indirect=True)
def test_no_other_user_waits_for_a_slow_receiver(owner, receiver, trickler, settings):
    settings.WEBHOOK_SECONDS = 4.0
    for n in range(10):
        add_webhook(owner=owner, url=f"http://127.0.0.1:{trickler.port}/{n}")
    other = UserFactory()
    add_webhook(owner=other, url=receiver.url)
    tell(user_id=owner.pk, kind="job_completed", values=VALUES)
    tell(user_id=other.pk, kind="job_completed", values=VALUES)
    began = time.time()
    run_worker()
    arrived = Delivery.objects.get(notification__user=other)
    assert arrived.status == "delivered"
    assert arrived.tried_at.timestamp() - began < 4.0


def test_half_of_the_slots_are_one_users_at_most(owner, stranger, settings):
    settings.QUEUE_SLOTS = {"deliveries": 4}
    assert most_of(owner.pk) == 2
    sent = delivery_to(owner, "https://nowhere.example/")
    with slot_of(owner.pk) as first, slot_of(owner.pk) as second:
        assert (first, second) == (True, True)
        assert try_delivery(sent.pk) == BUSY_SECONDS
        with slot_of(stranger.pk) as of_another:
            assert of_another
    sent.refresh_from_db()
    assert (sent.attempts, sent.status) == (0, "waiting")
    with slot_of(owner.pk) as again:
        assert again


@pytest.mark.parametrize("trickler", [ANSWERS["headers"]], indirect=True)
def test_a_user_whose_receiver_was_slow_has_one_slot(owner, stranger, trickler):
    with slot_of(stranger.pk), pytest.MonkeyPatch.context() as patched:
        patched.setattr("notifications.sending.slots.SLOW_SECONDS", 0.5)
        seconds_of(delivery_to(owner, f"http://127.0.0.1:{trickler.port}/"))
    assert (most_of(owner.pk), most_of(stranger.pk)) == (1, 4)


@pytest.fixture
def tired(owner, receiver, settings) -> Webhook:
    """A webhook after ten failures over two notices."""
    settings.NOTICE_RETRY_SECONDS = 0
    receiver.statuses = [500] * REST_AFTER
    hook = add_webhook(owner=owner, url=receiver.url)
    for _ in range(2):
        tell(user_id=owner.pk, kind="job_completed", values=VALUES)
    sent = Delivery.objects.all()
    for delivery in sent:
        while try_delivery(delivery.pk) is not None:
            pass
    hook.refresh_from_db()
    return hook


def test_after_ten_failures_a_webhook_rests_and_its_owner_is_told(tired, receiver):
    assert tired.resting_since is not None
    assert tired.rest_reason == "The receiver answered 500. busy"
    told = Notification.objects.get(type="webhook_resting")
    assert told.user_id == tired.user_id
    assert "127.0.0.1 failed 10 times in a row" in told.message
    assert tired.url not in told.message
    tell(user_id=tired.user_id, kind="job_completed", values=VALUES)
    assert len(receiver.got) == REST_AFTER
    assert {d.status for d in Delivery.objects.all()} == {"failed"}
    assert Notification.objects.filter(type="webhook_resting").count() == 1


def test_what_was_on_its_way_is_not_sent_to_one_at_rest(tired, receiver):
    sent = Delivery.objects.first()
    Delivery.objects.update(status="retrying", attempts=1)
    assert try_delivery(sent.pk) is None
    sent.refresh_from_db()
    assert sent.status == "failed"
    assert "resume it" in sent.error
    assert len(receiver.got) == REST_AFTER


def test_its_owner_wakes_it_on_the_page(tired, receiver, browser_of_owner):
    page = browser_of_owner.get("/notifications/settings").content.decode()
    assert "Paused since" in page
    assert "answered 500" in page
    path = f"/notifications/webhooks/{tired.pk}"
    assert browser_of_owner.post(f"{path}/test").url == "/notifications/settings"
    assert browser_of_owner.get(f"{path}/wake").status_code == 405
    assert browser_of_owner.post(f"{path}/wake").status_code == 302
    assert (
        "Paused since"
        not in browser_of_owner.get("/notifications/settings").content.decode()
    )
    tell(user_id=tired.user_id, kind="job_completed", values=VALUES)
    assert try_delivery(Delivery.objects.first().pk) is None
    assert len(receiver.got) == REST_AFTER + 1


def test_its_owner_wakes_it_by_api_and_nobody_else(tired, api, stranger_api):
    path = f"/api/webhooks/{tired.pk}"
    [shown] = api.get("/api/webhooks").json()["data"]["webhooks"]
    assert shown["resting_since"]
    assert shown["rest_reason"] == "The receiver answered 500. busy"
    refused = api.post(f"{path}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_resting")
    assert stranger_api.post(f"{path}/wake").status_code == 404
    woken = api.post(f"{path}/wake").json()["data"]
    assert woken["resting_since"] is None
    assert api.post(f"{path}/test").status_code == 202


def test_one_success_begins_the_count_anew(owner, receiver):
    hook = add_webhook(owner=owner, url=receiver.url)
    receiver.statuses = [500] * (REST_AFTER - 1) + [200, 500]
    for _ in range(REST_AFTER + 1):
        tell(user_id=owner.pk, kind="job_completed", values=VALUES)
        try_delivery(Delivery.objects.first().pk)
    hook.refresh_from_db()
    assert (hook.failures, hook.resting_since) == (1, None)
