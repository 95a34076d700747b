"""Bulk actions on jobs, machines and adapters in the admin."""

from collections.abc import Callable

from lora_pipeline.admin_site.bulk_actions import bulk_action
from lora_pipeline.errors import Refusal
from training.adapters.services import delete_adapter
from training.domain.priority import HIGH, LOW, NORMAL
from training.jobs.controls import (
    continue_job,
    pause_job,
    resume_job,
    retry_job,
    set_priority,
)
from training.jobs.services import cancel_job
from training.models import Adapter, TrainingJob
from training.runs.draining import drain, undrain


def _priority(priority: int) -> Callable[[TrainingJob, str], object]:
    def apply(job: TrainingJob, by: str) -> object:
        return set_priority(job_id=job.pk, priority=priority, by=by, is_operator=True)

    return apply


def _delete(adapter: Adapter, by: str) -> None:
    if adapter.deleted_at is not None:
        raise Refusal("It is already deleted.")
    delete_adapter(adapter=adapter, by=by)


JOB_ACTIONS = [
    bulk_action(
        "Cancel",
        lambda job, by: cancel_job(job_id=job.pk, by=by),
        permission="cancel",
        warning="A cancelled job cannot be resumed. Its progress since the last "
        "checkpoint is lost.",
    ),
    bulk_action(
        "Pause",
        lambda job, by: pause_job(job_id=job.pk, by=by, reason="operator"),
        permission="pause",
    ),
    bulk_action(
        "Resume",
        lambda job, by: resume_job(job_id=job.pk, by=by),
        permission="resume",
    ),
    bulk_action(
        "Start again",
        lambda job, by: retry_job(job_id=job.pk, by=by),
        permission="retry",
        warning="Each is queued again as a new job, at the current price and from "
        "the owner's budget. A job waiting for its next attempt starts it now.",
    ),
    bulk_action(
        "Continue from the last checkpoint",
        lambda job, by: continue_job(job_id=job.pk, by=by),
        permission="retry",
        warning="An ended job continues as a new one, at today's price and from its "
        "owner's budget. A paused job resumes and discards everything "
        "after its last checkpoint.",
    ),
    bulk_action("Priority high", _priority(HIGH), permission="prioritise"),
    bulk_action("Priority normal", _priority(NORMAL), permission="prioritise"),
    bulk_action("Priority low", _priority(LOW), permission="prioritise"),
]
MACHINE_ACTIONS = [
    bulk_action(
        "Drain",
        lambda machine, by: drain(machine=machine.pk, by=by),
        permission="drain",
        warning="They start no new runs until they are put back into service. Running "
        "jobs finish.",
    ),
    bulk_action(
        "Back to work",
        lambda machine, by: undrain(machine=machine.pk, by=by),
        permission="drain",
    ),
]
ADAPTER_ACTIONS = [
    bulk_action(
        "Delete",
        _delete,
        permission="remove",
        warning="Their files, merged models and questions are permanently removed.",
    )
]
