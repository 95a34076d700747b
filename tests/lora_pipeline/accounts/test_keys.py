"""API keys that end by themselves."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import ApiKey


def ask(secret: str):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client.get("/api/presets")


def test_an_expired_key_is_refused_and_told_when_it_ended(owner):
    key, secret = create_api_key(owner=owner, name="script", days=30)
    assert ask(secret).status_code == 200
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = ask(secret)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert f"expired on {timezone.now():%Y-%m-%d}" in answer.json()["error"]
    key.refresh_from_db()
    before = key.last_used_at
    ask(secret)
    key.refresh_from_db()
    assert key.last_used_at == before


def test_a_key_without_a_date_works_until_it_is_revoked(owner):
    key, secret = create_api_key(owner=owner, name="script")
    assert key.expires_at is None
    assert ask(secret).status_code == 200


@pytest.mark.parametrize(("days", "left"), [("90", 90), ("", None)])
def test_the_form_sets_when_a_key_expires(browser_of_owner, days, left):
    given = {"name": "laptop", "scope": "read", "days": days}
    page = browser_of_owner.post("/keys", given).content.decode()
    key = ApiKey.objects.get()
    if left is None:
        assert key.expires_at is None
        assert "never" in page
    else:
        assert (key.expires_at - timezone.now()).days == left - 1
        assert f"{key.expires_at:%b %Y}" in page


def test_the_form_refuses_a_length_that_it_does_not_offer(browser_of_owner):
    browser_of_owner.post("/keys", {"name": "x", "scope": "read", "days": "7000"})
    assert not ApiKey.objects.exists()


def test_the_command_sets_when_a_key_expires(owner):
    out = StringIO()
    call_command("create_api_key", "owner", "--days", "2", stdout=out)
    assert ask(out.getvalue().strip()).status_code == 200
    assert (ApiKey.objects.get().expires_at - timezone.now()).days == 1
    with pytest.raises(CommandError, match="use 1 to 3650"):
        call_command("create_api_key", "owner", "--days", "0")


def test_the_page_marks_an_expired_key(browser_of_owner, owner):
    create_api_key(owner=owner, name="old", days=1)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired" in browser_of_owner.get("/keys").content.decode()
