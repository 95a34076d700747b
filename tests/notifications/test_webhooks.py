"""Webhooks against a real HTTP server: signed, retried, never to a private address."""

import base64
import hashlib
import hmac
import ipaddress
import json
import time

import pytest

from notifications.models import Delivery, Webhook
from notifications.preferences import choose
from notifications.sending.attempt import pause_after, try_delivery
from notifications.sending.targets import (
    TargetRefused,
    is_public,
    parse_target,
    resolve,
)
from notifications.services import tell
from notifications.tasks import NotArrived, deliver
from notifications.webhooks import add_webhook
from tests.tasks import run_worker

VALUES = {"job_name": "My job", "words": "the adapter is ready to download"}


def tell_completed(owner):
    return tell(
        user_id=owner.pk, kind="job_completed", values=VALUES, action_url="/training/x"
    )


@pytest.mark.django_db(transaction=True)
def test_a_notice_arrives_signed_and_with_words_for_slack(owner, receiver, settings):
    settings.PUBLIC_URL = "https://console.example"
    webhook = add_webhook(owner=owner, url=f"{receiver.url}/hook?x=1")
    tell_completed(owner)
    run_worker()
    [(headers, body, path)] = receiver.got
    assert path == "/hook?x=1"
    told = json.loads(body)
    assert told["text"] == (
        "Training Completed: My job: the adapter is ready to download "
        "https://console.example/training/x"
    )
    assert told["notice"]["type"] == "job_completed"
    assert told["notice"]["metadata"] == VALUES
    key = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    identity, at = headers["webhook-id"], headers["webhook-timestamp"]
    expected = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256)
    signature = base64.b64encode(expected.digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert abs(time.time() - int(at)) < 60
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.response_status) == ("delivered", 200)


@pytest.mark.django_db(transaction=True)
def test_a_busy_receiver_is_tried_again_until_it_takes_it(owner, receiver, settings):
    settings.NOTICE_RETRY_SECONDS = 0
    receiver.statuses = [503, 500]
    add_webhook(owner=owner, url=receiver.url)
    tell_completed(owner)
    for _ in range(3):
        run_worker()
    assert len(receiver.got) == 3
    assert len({headers["webhook-id"] for headers, _, _ in receiver.got}) == 1
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.error) == ("delivered", 3, "")


@pytest.fixture
def delivery(owner, receiver):
    add_webhook(owner=owner, url=receiver.url)
    tell_completed(owner)
    return Delivery.objects.get()


def test_the_pauses_grow_and_the_last_failure_is_kept(delivery, receiver, settings):
    settings.NOTICE_MAX_ATTEMPTS = 3
    receiver.statuses = [500, 500, 500]
    found = [try_delivery(delivery.pk) for _ in range(3)]
    assert found == [10.0, 40.0, None]
    delivery.refresh_from_db()
    assert (delivery.status, delivery.response_status) == ("failed", 500)
    assert delivery.error == "The receiver answered 500. busy"
    assert try_delivery(delivery.pk) is None
    assert len(receiver.got) == 3
    assert [pause_after(n) for n in (1, 2, 3, 4, 5)] == [10, 40, 160, 640, 2560]


def test_the_task_asks_for_its_next_try(delivery, receiver):
    receiver.statuses = [500]
    with pytest.raises(NotArrived) as raised:
        deliver.func(delivery_id=str(delivery.pk))
    assert raised.value.seconds == 10.0


def test_a_redirect_is_not_followed(delivery, receiver):
    receiver.statuses = [302]
    try_delivery(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.response_status) == ("retrying", 302)
    assert [path for _, _, path in receiver.got] == ["/"]


def test_one_who_answers_a_byte_at_a_time_is_cut_off(delivery, receiver, settings):
    settings.WEBHOOK_SECONDS = 0.5
    receiver.pause, receiver.statuses = 5.0, [500]
    began = time.monotonic()
    try_delivery(delivery.pk)
    assert time.monotonic() - began < receiver.pause
    delivery.refresh_from_db()
    assert delivery.status == "retrying"


def test_nobody_there_is_tried_again_with_the_reason(owner, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    add_webhook(owner=owner, url="http://127.0.0.1:9/")
    tell_completed(owner)
    delivery = Delivery.objects.get()
    assert try_delivery(delivery.pk) == 10.0
    delivery.refresh_from_db()
    assert "refused" in delivery.error


def test_a_path_in_other_letters_arrives(owner, receiver):
    add_webhook(owner=owner, url=f"{receiver.url}/h\u00f6k?q=\u00e4")
    tell_completed(owner)
    try_delivery(Delivery.objects.get().pk)
    assert [path for _, _, path in receiver.got] == ["/h%C3%B6k?q=%C3%A4"]


def test_a_removed_webhook_gets_nothing_more(delivery, receiver):
    Webhook.objects.all().delete()
    try_delivery(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.error) == ("failed", "Webhook removed.")
    assert not receiver.got


def test_a_kind_that_was_switched_off_is_not_sent(owner, receiver):
    add_webhook(owner=owner, url=receiver.url)
    choose(user=owner, choices={"job_completed": (False, False)})
    tell_completed(owner)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "example.com",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com/a b",
        "https://example.com:99999/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://stra\u00dfe.example/",
        "https://exa\u2028mple.com/",
        "https://a%2eb.example/",
        "https://\u00e4" + 64 * "x" + ".example/",
    ],
)
def test_such_urls_are_refused(url):
    with pytest.raises(TargetRefused):
        parse_target(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::",
        "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::127.0.0.1",
        "fec0::1", "::ffff:0:127.0.0.1", "2001::1", "3fff::1", "5f00::1", "1::1",
        "2001:db8::1", "100::1", "ff0e::1",
    ],
)  # fmt: skip
def test_such_addresses_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_and_these_are(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://b\u00fccher.example/h\u00f6k?q=\u00e4",
         "xn--bcher-kva.example", "/h%C3%B6k?q=%C3%A4"),
        ("https://B\u00dcCHER.example", "xn--bcher-kva.example", "/"),
        ("https://\uff11\uff12\uff17.0.0.1/", "127.0.0.1", "/"),
        ("https://1\u30020\u30020\u30021/%20", "1.0.0.1", "/%20"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", "/"),
    ],
)  # fmt: skip
def test_other_letters_are_called_as_they_are_certified(url, host, path):
    target = parse_target(url)
    assert (target.host, target.path) == (host, path)
    assert target.host_header.isascii()


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "127.0.0.1", "[::1]", "2130706433", "\uff11\uff12\uff17.0.0.1",
        "[::ffff:127.0.0.1]", "[::127.0.0.1]", "\u24db\u24deca\u24dbhost",
    ],
)  # fmt: skip
def test_a_name_of_this_machine_is_refused_when_it_is_resolved(host):
    with pytest.raises((TargetRefused, OSError)):
        resolve(parse_target(f"https://{host}/"))


def test_a_target_that_became_private_is_refused_at_delivery(
    delivery, receiver, settings
):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    Webhook.objects.update(url="https://localhost/")
    assert try_delivery(delivery.pk) is None
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert "not public" in delivery.error
    assert not receiver.got
