"""Writes about people and keys."""

import hashlib
import secrets

from django.utils import timezone

from lora_pipeline.models import ApiKey, User

KEY_START = "lp_"


def hash_secret(secret: str) -> str:
    """SHA-256 in hex; enough for secrets that are 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    *, owner: User, name: str, scope: str = ApiKey.Scope.WRITE
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be read again."""
    secret = KEY_START + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=owner,
        name=name,
        scope=scope,
        prefix=secret[:8],
        key_hash=hash_secret(secret),
    )
    return key, secret


def revoke_api_key(*, key: ApiKey) -> None:
    """End a key at once; revoking twice keeps the first time."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
