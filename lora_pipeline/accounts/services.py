"""Writes to users, keys and sessions."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.models import ApiKey, BrowserSession, User
from lora_pipeline.tokens import KEY_START, hash_secret


@transaction.atomic
def create_api_key(
    *,
    owner: User,
    name: str,
    scope: str = ApiKey.Scope.WRITE,
    days: int | None = None,
) -> tuple[ApiKey, str]:
    """Create a key, optionally with an expiry; returns it and its secret.

    Raises Refusal 409 where the owner has as many as they may.
    """
    require_room(owner=owner, kind="api_keys")
    expires_at = timezone.now() + timedelta(days=days) if days else None
    secret = KEY_START + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=owner,
        name=name,
        scope=scope,
        expires_at=expires_at,
        prefix=secret[:8],
        key_hash=hash_secret(secret),
    )
    return key, secret


def revoke_api_key(*, key: ApiKey) -> None:
    """Revoke a key immediately; revoking again keeps the first timestamp."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


def end_session(*, session: BrowserSession) -> None:
    """End a session; it is signed out at its next request."""
    session.delete()


def end_other_sessions(*, user: User, kept: str) -> int:
    """Sign out every browser of a user but the one whose key has this hash; says how
    many there were.
    """
    others = BrowserSession.objects.visible_to(user).exclude(session_key=kept)
    return others.delete()[0]


@transaction.atomic
def save_user(*, user: User, fields: Iterable[str], is_new: bool = False) -> None:
    """Write only the columns that a form changed.

    A form holds the row as it was when the page was opened. Writing all of it would
    undo a sign-in or password change made in the meantime.
    """
    columns = {field.name for field in User._meta.concrete_fields}
    if is_new:
        user.save(force_insert=True)
    elif changed := columns.intersection(fields):
        User.objects.select_for_update().get(pk=user.pk)
        user.save(update_fields=changed)
