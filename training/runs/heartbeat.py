"""The reconciler's heartbeat: written by it, read by probes, metrics and doctor."""

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
    """Record a heartbeat of a machine's reconciler, at most every 5 s."""
    now = timezone.now()
    known = Machine.objects.filter(pk=machine)
    last = known.values_list("seen_at", flat=True).first()
    if last is None or not timedelta(0) <= now - last < BEAT_EVERY:
        Machine.objects.update_or_create(
            pk=machine, defaults={"seen_at": now, "hostname": platform.node()[:255]}
        )


def reconciler_age() -> float | None:
    """Seconds since the last reconciler heartbeat, or None if there was none."""
    with row_security.operator():
        seen = Machine.objects.aggregate(at=Max("seen_at"))
    return health.seconds_since(seen["at"])


def check() -> str:
    """The problem with the reconciler; empty if it is running."""
    return health.silence("reconciler", reconciler_age())
