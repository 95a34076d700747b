"""The reconciler's sign of life: written by it, read by probes, metrics and doctor."""

import platform
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from lora_pipeline.operations import health
from lora_pipeline.postgres import row_security
from training.launchers.local import BACKEND
from training.models import Machine

BEAT_EVERY = timedelta(seconds=5)


def beat(machine: str = BACKEND) -> None:
    """The reconciler of a machine says that it works; written every 5 s at most."""
    now = timezone.now()
    known = Machine.objects.filter(pk=machine)
    last = known.values_list("seen_at", flat=True).first()
    if last is None or not timedelta(0) <= now - last < BEAT_EVERY:
        Machine.objects.update_or_create(
            pk=machine, defaults={"seen_at": now, "hostname": platform.node()[:255]}
        )


def reconciler_age() -> float | None:
    """Seconds since some reconciler last showed that it works; None: never."""
    with row_security.operator():
        seen = Machine.objects.aggregate(at=Max("seen_at"))
    return health.seconds_since(seen["at"])


def check() -> str:
    """Whether a reconciler looks after the runs; empty when one does."""
    return health.silence("reconciler", reconciler_age())
