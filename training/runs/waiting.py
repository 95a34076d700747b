"""Updates queued jobs: position, expected start and what they wait for."""

from collections import Counter
from datetime import datetime, timedelta

from django.utils import timezone

from training.domain import lifecycle
from training.domain.queue import expected_starts, fair_order
from training.models import DeviceClaim, TrainingJob
from training.runs import missing_folders
from training.runs.dispatch import Offers, _waiting, offered_devices, shares
from training.runs.draining import is_draining
from training.runs.missing_folders import awaits_its_folder

WORTH_WRITING = timedelta(seconds=60)


def note_waiting() -> None:
    """Store each queued job's position, expected start and reason for waiting."""
    jobs = {job.pk: job for job in TrainingJob.objects.queued()}
    if not jobs:
        return
    offers, now, draining = offered_devices(), timezone.now(), is_draining()
    order = fair_order(map(_waiting, jobs.values()), shares())
    starts = expected_starts(order, _free_in(offers, now))
    places = Counter[str]()
    for waiting in order:
        job = jobs[waiting.id]  # type: ignore[index]
        places[job.gpu_type] += 1
        seconds = None if draining else starts.get(job.pk)
        start = None if seconds is None else now + timedelta(seconds=seconds)
        note = waiting_note(job, offers, draining=draining)
        _note(job, note, places[job.gpu_type], start)


def _free_in(offers: Offers, now: datetime) -> dict[str, list[float]]:
    """Seconds until each device is expected to be free, by GPU type."""
    busy: dict[str, float] = {}
    for claim in DeviceClaim.objects.select_related("attempt__job"):
        busy[claim.device] = _seconds_left(claim.attempt.job, now)
    return {
        gpu_type: [busy.get(device, 0.0) for device in devices]
        for gpu_type, devices in offers.items()
    }


def _seconds_left(job: TrainingJob, now: datetime) -> float:
    if job.status not in lifecycle.ACTIVE:
        return 0.0
    if job.estimated_completion_at is not None:
        return max((job.estimated_completion_at - now).total_seconds(), 0.0)
    return job.estimated_hours * 3600 * (1 - job.progress)


def _note(job: TrainingJob, note: str, place: int, start: datetime | None) -> None:
    """Write only changes; an expected start only if it moved by a minute."""
    same = (job.status_note, job.queue_position) == (note, place)
    before = job.expected_start_at
    moved = start is not before and (
        start is None or before is None or abs(start - before) > WORTH_WRITING
    )
    if not same or moved:
        TrainingJob.objects.filter(pk=job.pk, status=lifecycle.QUEUED).update(
            status_note=note, queue_position=place, expected_start_at=start
        )


def waiting_note(job: TrainingJob, offers: Offers, *, draining: bool = False) -> str:
    """What a queued job is waiting for, as text."""
    most = len(offers.get(job.gpu_type, ()))
    if most == 0:
        return f"waiting for a machine that offers {job.gpu_type}"
    if job.gpu_count > most:
        return f"waiting for a machine that offers {job.gpu_count} x {job.gpu_type}"
    if draining:
        return "waiting: the machine is draining and starts no new runs"
    if job.retry_at is not None and job.retry_at > timezone.now():
        return "waiting before the next attempt"
    if awaits_its_folder(job):
        return missing_folders.WAITING
    return f"waiting for a free {job.gpu_type}"
