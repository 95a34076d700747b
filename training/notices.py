"""What a job's owner is told, each with its type, title and weight."""

from dataclasses import dataclass

from notifications.models import Notification
from notifications.services import notify
from training.models import TrainingJob


@dataclass(frozen=True, slots=True)
class Notice:
    """A kind of notice about a job."""

    type: str
    title: str
    priority: str = Notification.Priority.MEDIUM


STARTED = Notice("job_started", "Training Started", Notification.Priority.LOW)
COMPLETED = Notice("job_completed", "Training Completed")
FAILED = Notice("job_failed", "Training Failed", Notification.Priority.HIGH)
CANCELLED = Notice("job_cancelled", "Training Cancelled", Notification.Priority.LOW)
PAUSED = Notice("job_paused", "Training Paused")
BUDGET_80 = Notice("budget_80", "80 % of a Job's Cap Spent")
BUDGET_100 = Notice("budget_100", "A Job Reached Its Cap", Notification.Priority.HIGH)


def tell(job: TrainingJob, notice: Notice, words: str) -> None:
    """Write a notice about a job inside the caller's transaction."""
    notify(
        user_id=job.user_id,
        type=notice.type,
        title=notice.title,
        message=f"{job.name}: {words}",
        priority=notice.priority,
        action_url=job.get_absolute_url(),
        metadata={"job_id": str(job.pk)},
    )
