"""Preferences, webhooks and the delivery log: pages and API, owner and stranger."""

import pytest
from django.test import Client

from notifications.messages import CHOSEN, KINDS
from notifications.models import Delivery, Preference, Webhook
from notifications.preferences import choices_of
from notifications.services import tell
from notifications.webhooks import add_webhook

VALUES = {"job_name": "My job", "words": "out of memory"}


@pytest.fixture(autouse=True)
def private_targets(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def webhook(owner):
    return add_webhook(owner=owner, url="http://127.0.0.1:9/hook")


@pytest.fixture
def failed_delivery(owner, webhook):
    tell(user_id=owner.pk, kind="job_failed", values=VALUES)
    Delivery.objects.update(status="failed", error="nobody there")
    return Delivery.objects.get()


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


def test_the_page_shows_every_kind_and_keeps_what_is_ticked(owner, browser_of_owner):
    page = browser_of_owner.get("/notifications/settings").content.decode()
    for kind in CHOSEN:
        assert f'name="email:{kind}"' in page
    body = {"email:job_started": "on"}
    assert browser_of_owner.post("/notifications/settings", body).status_code == 302
    chosen = {c.kind: (c.by_email, c.by_webhook) for c in choices_of(owner)}
    assert chosen.pop("job_started") == (True, False)
    assert set(chosen.values()) == {(False, False)}


def test_a_wrong_address_is_told_and_changes_nothing(owner, browser_of_owner):
    body = {"email": "nobody"}
    page = browser_of_owner.post("/notifications/settings", body).content.decode()
    assert "valid email" in page
    assert not Preference.objects.exists()


def test_a_webhook_by_page_is_added_tested_and_removed(owner, browser_of_owner):
    body = {"url": "http://127.0.0.1:9/a"}
    assert browser_of_owner.post("/notifications/webhooks", body).status_code == 302
    webhook = Webhook.objects.get(user=owner)
    page = browser_of_owner.get("/notifications/settings").content.decode()
    assert webhook.secret in page
    path = f"/notifications/webhooks/{webhook.pk}"
    assert browser_of_owner.post(f"{path}/test").url == "/notifications/deliveries"
    page = browser_of_owner.get("/notifications/deliveries").content.decode()
    assert KINDS["test"].title in page
    browser_of_owner.post(f"{path}/remove")
    assert not Webhook.objects.exists()


def test_a_private_webhook_is_refused_beside_its_field(browser_of_owner, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    body = {"url": "https://127.0.0.1/"}
    answer = browser_of_owner.post("/notifications/webhooks", body)
    assert answer.status_code == 422
    assert "not public" in answer.content.decode()
    assert not Webhook.objects.exists()


def test_what_failed_can_be_sent_again(failed_delivery, browser_of_owner):
    page = browser_of_owner.get("/notifications/deliveries").content.decode()
    assert "nobody there" in page
    browser_of_owner.post(f"/notifications/deliveries/{failed_delivery.pk}/again")
    failed_delivery.refresh_from_db()
    assert (failed_delivery.status, failed_delivery.attempts) == ("waiting", 0)


def test_a_test_mail_without_a_server_says_why(browser_of_owner, settings):
    settings.EMAIL_HOST = ""
    answer = browser_of_owner.post("/notifications/settings/test-email", follow=True)
    assert "no mail server" in answer.content.decode()


def test_preferences_by_api(api, owner):
    found = api.get("/api/notification-preferences").json()["data"]["preferences"]
    assert [entry["kind"] for entry in found] == list(CHOSEN)
    change = {"kind": "job_failed", "by_email": False, "by_webhook": False}
    path, body = "/api/notification-preferences", {"preferences": [change]}
    found = api.put(path, body, format="json").json()["data"]["preferences"]
    kept = {entry.pop("kind"): entry for entry in found}
    assert kept["job_failed"]["by_email"] is False
    assert kept["job_completed"]["by_email"] is True
    change["kind"] = "nonsense"
    assert api.put(path, body, format="json").status_code == 400


def test_webhooks_by_api(api, settings):
    url = "http://127.0.0.1:9/api"
    made = api.post("/api/webhooks", {"url": url}, format="json")
    assert made.status_code == 201
    one = made.json()["data"]
    assert one.pop("secret").startswith("whsec_")
    assert api.get("/api/webhooks").json()["data"]["webhooks"] == [one]
    again = api.post("/api/webhooks", {"url": url}, format="json")
    assert again.status_code == 409
    test = api.post(f"/api/webhooks/{one['id']}/test")
    assert (test.status_code, test.json()["data"]["status"]) == (202, "waiting")
    log = api.get("/api/deliveries").json()["data"]["deliveries"]
    assert [entry["id"] for entry in log] == [test.json()["data"]["id"]]
    assert api.delete(f"/api/webhooks/{one['id']}").json()["data"]["deleted"] is True
    settings.WEBHOOK_ALLOW_PRIVATE = False
    refused = api.post("/api/webhooks", {"url": "https://10.0.0.1/"}, format="json")
    assert refused.status_code == 400
    assert "not public" in refused.json()["details"]["url"][0]


def test_there_can_be_ten_webhooks(api, owner):
    for n in range(10):
        add_webhook(owner=owner, url=f"http://127.0.0.1:9/{n}")
    refused = api.post("/api/webhooks", {"url": "http://127.0.0.1:9/x"}, format="json")
    assert refused.json()["code"] == "quota"


def test_a_stranger_finds_nothing(
    webhook, failed_delivery, browser_of_stranger, stranger_api
):
    for path in (
        f"/notifications/webhooks/{webhook.pk}/remove",
        f"/notifications/webhooks/{webhook.pk}/test",
        f"/notifications/deliveries/{failed_delivery.pk}/again",
    ):
        assert browser_of_stranger.post(path).status_code == 404
    for path in ("/notifications/settings", "/notifications/deliveries"):
        page = browser_of_stranger.get(path).content.decode()
        assert webhook.url not in page
        assert webhook.secret not in page
    assert stranger_api.get("/api/webhooks").json()["data"]["webhooks"] == []
    assert stranger_api.get("/api/deliveries").json()["data"]["deliveries"] == []
    path = f"/api/deliveries/{failed_delivery.pk}"
    assert stranger_api.get(path).status_code == 404
    assert stranger_api.delete(f"/api/webhooks/{webhook.pk}").status_code == 404
    assert stranger_api.post(f"/api/webhooks/{webhook.pk}/test").status_code == 404
    assert Webhook.objects.exists()
