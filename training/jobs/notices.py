"""Notifications to a job's owner; the texts are in notifications/messages.py."""

from notifications.services import tell as tell_user
from training.models import TrainingJob

STARTED = "job_started"
COMPLETED = "job_completed"
FAILED = "job_failed"
CANCELLED = "job_cancelled"
PAUSED = "job_paused"
BUDGET_80 = "budget_80"
BUDGET_100 = "budget_100"


def tell(job: TrainingJob, kind: str, words: str) -> None:
    """Write a notification about a job in the caller's transaction."""
    tell_user(
        user_id=job.user_id,
        kind=kind,
        values={"job_id": str(job.pk), "job_name": job.name, "words": words},
        action_url=job.path,
    )
