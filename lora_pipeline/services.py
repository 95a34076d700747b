"""Writes about people and keys."""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from lora_pipeline.models import ApiKey, BrowserSession, User

KEY_START = "lp_"
RUN_TOKEN_START = "run_"  # noqa: S105 - how one begins, not one itself


def hash_secret(secret: str) -> str:
    """SHA-256 in hex; enough for secrets that are 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    *,
    owner: User,
    name: str,
    scope: str = ApiKey.Scope.WRITE,
    days: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key, for some days or until it is revoked, and its secret, shown once."""
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
    """End a key at once; revoking twice keeps the first time."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


def end_session(*, session: BrowserSession) -> None:
    """Sign a browser out, wherever it is, with its next request."""
    session.delete()


def end_other_sessions(*, user: User, kept_key: str | None) -> int:
    """Sign out every browser of a user but one; says how many there were."""
    others = BrowserSession.objects.visible_to(user).exclude(session_key=kept_key)
    return others.delete()[0]
