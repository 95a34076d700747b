"""What one user may have at most, and what they have of it.

The defaults are settings; an operator gives a user another number in the admin.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.module_loading import import_string

from lora_pipeline.errors import Refusal
from lora_pipeline.models import ApiKey, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Something that is counted: its name for people, and how to have less of it."""

    title: str
    advice: str
    status: int = 409


KINDS = {
    "storage_bytes": Kind(
        title="Storage",
        advice="Delete adapters, or free checkpoints. A deleted dataset counts until "
        "its files are removed.",
        status=413,
    ),
    "queued_jobs": Kind(
        title="Queued jobs", advice="Wait for one to start, or cancel one."
    ),
    "api_keys": Kind(title="API keys", advice="Revoke one that is not used."),
    "webhooks": Kind(title="Webhooks", advice="Remove one."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One limit of a user, with what is used of it."""

    kind: str
    used: int
    limit: int

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    @property
    def free(self) -> int:
        return max(self.limit - self.used, 0)

    def words(self, amount: int) -> str:
        """An amount as people read it."""
        if self.kind == "storage_bytes":
            return filesizeformat(amount).replace("\xa0", " ")
        return f"{amount:,}"

    @property
    def used_words(self) -> str:
        return self.words(self.used)

    @property
    def limit_words(self) -> str:
        return self.words(self.limit)


def quotas_of(user: User) -> list[Quota]:
    """All limits of a user."""
    return [quota_of(user, kind) for kind in KINDS]


def quota_of(user: User, kind: str) -> Quota:
    """One limit of a user: their own, else the setting's."""
    own = getattr(user, f"quota_{kind}")
    limit = getattr(settings, f"QUOTA_{kind.upper()}") if own is None else own
    sources: list[Callable[[User], int]] = [
        import_string(path) for path in settings.QUOTA_SOURCES[kind]
    ]
    return Quota(kind=kind, used=sum(count(user) for count in sources), limit=limit)


def require_room(*, owner: User, kind: str, adding: int = 1) -> None:
    """Holds the owner's row until the transaction ends, so that no two slip by at once.

    Raises Refusal with the numbers where `adding` goes beyond the limit.
    """
    users = User.objects.all()
    if connection.in_atomic_block:
        users = users.select_for_update()
    quota = quota_of(users.get(pk=owner.pk), kind)
    if quota.used + adding <= quota.limit:
        return
    needs = f", and this takes {quota.words(adding)}" if adding > 1 else ""
    raise Refusal(
        f"{quota.title}: you use {quota.used_words} of {quota.limit_words}{needs}. "
        f"{KINDS[kind].advice} An operator can raise your limit.",
        status_code=KINDS[kind].status,
        code="quota",
        details={
            "quota": kind,
            "used": quota.used,
            "limit": quota.limit,
            "needed": adding,
        },
    )


def usable_keys(user: User) -> int:
    """API keys of a user that were not revoked."""
    return ApiKey.objects.visible_to(user).filter(revoked_at=None).count()
