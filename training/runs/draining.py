"""Draining: takes a machine out of service without stopping its runs."""

from django.db import transaction
from django.utils import timezone

from training.jobs.transitions import wake_reconciler
from training.launchers.local import BACKEND
from training.models import DeviceClaim, Machine


@transaction.atomic
def drain(*, machine: str = BACKEND, by: str) -> Machine:
    """Start no new runs on a machine; running ones finish.

    Draining a machine twice has no effect.
    """
    found, _ = Machine.objects.select_for_update().get_or_create(pk=machine)
    if not found.is_draining:
        found.draining_since, found.drained_by = timezone.now(), by[:150]
        found.save(update_fields=["draining_since", "drained_by"])
        wake_reconciler()
    return found


@transaction.atomic
def undrain(*, machine: str = BACKEND, by: str) -> Machine:
    """Let a machine start runs again."""
    found, _ = Machine.objects.select_for_update().get_or_create(pk=machine)
    if found.is_draining:
        found.draining_since, found.drained_by = None, by[:150]
        found.save(update_fields=["draining_since", "drained_by"])
        wake_reconciler()
    return found


def is_draining(machine: str = BACKEND) -> bool:
    """Whether the machine is draining."""
    return Machine.objects.filter(pk=machine).exclude(draining_since=None).exists()


def runs_left(machine: str = BACKEND) -> int:
    """Runs that still hold devices of a machine."""
    claims = DeviceClaim.objects.filter(backend=machine)
    return claims.values("attempt").distinct().count()
