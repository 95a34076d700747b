"""Whose key or session it is."""

from uuid import UUID

from lora_pipeline.errors import NotYours
from lora_pipeline.models import ApiKey, BrowserSession, User


def own_key(user: User, key_id: UUID) -> ApiKey:
    """The user's API key. Raises NotYours."""
    if (key := ApiKey.objects.visible_to(user).filter(pk=key_id).first()) is None:
        raise NotYours("key")
    return key


def own_session(user: User, handle: str) -> BrowserSession:
    """The user's session that goes by this handle. Raises NotYours."""
    for session in BrowserSession.objects.visible_to(user):
        if session.handle == handle:
            return session
    raise NotYours("session")
