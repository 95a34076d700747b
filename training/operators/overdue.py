"""What has waited longer than it should: datasets, merges, questions, deliveries.

Tasks that fail for good are given up with a word to their owner. Where even that did
not happen, doctor and the fleet page name what is left, without any words of users.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.operations.diagnosis import Check, Finding, ok, warning
from notifications.models import Delivery
from training.models import AdapterExport, AdapterQuestion, Work

SHOWN = 20
OPEN_WORK = (Work.WAITING, Work.RUNNING)
UNSENT = (Delivery.Status.WAITING, Delivery.Status.RETRYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """One thing that waits; `state` is what its owner reads."""

    kind: str
    id: str
    user: str
    state: str
    since: datetime


def overdue(now: datetime) -> list[Overdue]:
    """The oldest of each kind that wait for more than OVERDUE_SECONDS, in one query."""
    before = now - timedelta(seconds=settings.OVERDUE_SECONDS)
    columns = ("kind", "pk", "whose", "status", "since")
    first, *others = (
        rows.annotate(kind=Value(kind), whose=F(user))
        .filter(since__lt=before)
        .order_by("since")
        .values_list(*columns)[:SHOWN]
        for kind, rows, user in _waiting()
    )
    found: Iterable[Any] = first.union(*others, all=True)
    return sorted(
        (
            Overdue(kind=kind, id=str(pk), user=whose, state=status, since=since)
            for kind, pk, whose, status, since in found
        ),
        key=lambda one: (one.kind, one.since),
    )


def _waiting() -> Iterator[tuple[str, QuerySet[Any], str]]:
    """Kind, its open rows with the moment since when they wait, and whose they are."""
    datasets = Dataset.objects.filter(status=Dataset.Status.VALIDATING, deleted_at=None)
    yield "dataset", datasets.annotate(since=F("updated_at")), "user__username"
    begun = Coalesce("started_at", "created_at")
    whose = "adapter__user__username"
    exports = AdapterExport.objects.filter(status__in=OPEN_WORK)
    yield "merge", exports.annotate(since=begun), whose
    questions = AdapterQuestion.objects.filter(status__in=OPEN_WORK)
    yield "question", questions.annotate(since=begun), whose
    unsent = Delivery.objects.filter(status__in=UNSENT)
    due = Coalesce("next_try_at", "tried_at", "created_at")
    yield "delivery", unsent.annotate(since=due), "notification__user__username"


def waiting() -> Iterator[Finding]:
    """Each kind of thing that has waited too long, with the id of the oldest."""
    found = overdue(timezone.now())
    for kind in dict.fromkeys(one.kind for one in found):
        same = [one for one in found if one.kind == kind]
        count = f"{SHOWN} or more" if len(same) == SHOWN else str(len(same))
        words = (
            f"{kind}: {count} {same[0].state} for more than "
            f"{settings.OVERDUE_SECONDS / 60:.0f} minutes; the oldest is {same[0].id}, "
            f"since {same[0].since:%Y-%m-%d %H:%M}"
        )
        remedy = "see that manage.py work runs, and what it logs of this id"
        yield warning("waiting", words, remedy)
    if not found:
        yield ok("waiting", "nothing has waited too long")


CHECKS = [Check(waiting, needs_database=True)]
