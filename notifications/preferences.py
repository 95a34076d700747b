"""Which kinds of notice leave the console, and how, for one user."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from lora_pipeline.models import User
from notifications.messages import CHOSEN, KINDS
from notifications.models import Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where one kind goes besides the console."""

    kind: str
    label: str
    by_email: bool
    by_webhook: bool


def email_is_possible() -> bool:
    """Whether the operator named a mail server."""
    return bool(settings.EMAIL_HOST)


def choices_of(user: User) -> list[Choice]:
    """Every kind in the order of the registry, as chosen or as usual."""
    made = {p.kind: p for p in Preference.objects.visible_to(user)}
    return [_choice(name, made.get(name)) for name in CHOSEN]


def choice_for(user_id: UUID, kind: str) -> Choice:
    """Where a notice of this kind goes for this user."""
    return _choice(kind, Preference.objects.filter(user=user_id, kind=kind).first())


def _choice(name: str, made: Preference | None) -> Choice:
    kind = KINDS[name]
    return Choice(
        kind=name,
        label=kind.label,
        by_email=kind.by_email if made is None else made.by_email,
        by_webhook=kind.by_webhook if made is None else made.by_webhook,
    )


@transaction.atomic
def choose(*, user: User, choices: dict[str, tuple[bool, bool]]) -> None:
    """Set (by e-mail, by webhook) of some kinds; the others stay as they are."""
    for kind, (by_email, by_webhook) in choices.items():
        Preference.objects.update_or_create(
            user=user,
            kind=kind,
            defaults={"by_email": by_email, "by_webhook": by_webhook},
        )


def set_address(*, user: User, email: str) -> None:
    """Where e-mail goes; empty for nowhere."""
    user.email = email
    user.save(update_fields=["email"])
