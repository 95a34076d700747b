"""Where e-mail goes: to an address once its user opened the link that was mailed there.

Else the console would write to whomever a user names.
"""

from urllib.parse import urlencode
from uuid import UUID

from django.core import signing

from lora_pipeline.web.own_address import own_path

SALT = "notifications.address"
LINK_SECONDS = 24 * 3600


def confirmation_path(user_id: UUID, address: str) -> str:
    """The path and query that confirm an address, for that user alone."""
    token = signing.dumps([str(user_id), address], salt=SALT)
    return f"{own_path('address-confirm')}?{urlencode({'token': token})}"


def confirmed_address(user_id: UUID, token: str) -> str | None:
    """The address that a link confirms; None for one that is old or another's."""
    try:
        found = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return None
    return str(found[1]) if found[0] == str(user_id) else None
