"""A user's notification preferences: which kinds go out, and by which channel."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from lora_pipeline.models import User
from notifications.messages import CHOSEN, KINDS
from notifications.models import Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Channels of one kind besides the console."""

    kind: str
    label: str
    by_email: bool
    by_webhook: bool


def email_is_possible() -> bool:
    """Whether the operator has configured a mail server."""
    return bool(settings.EMAIL_HOST)


def choices_of(user: User) -> list[Choice]:
    """Every kind in registry order, as chosen or by default."""
    made = {p.kind: p for p in Preference.objects.visible_to(user)}
    return [_choice(name, made.get(name)) for name in CHOSEN]


def choice_for(user_id: UUID, kind: str) -> Choice:
    """The user's channels for this kind of notification."""
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
    """Set (by e-mail, by webhook) for some kinds; the others stay unchanged."""
    for kind, (by_email, by_webhook) in choices.items():
        Preference.objects.update_or_create(
            user=user,
            kind=kind,
            defaults={"by_email": by_email, "by_webhook": by_webhook},
        )


def set_address(*, user: User, email: str) -> None:
    """Set the e-mail address; empty for none."""
    user.email = email
    user.save(update_fields=["email"])
