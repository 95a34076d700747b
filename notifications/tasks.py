"""Worker tasks for notifications."""

from datetime import timedelta

from django.utils import timezone
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from notifications.sending.attempt import try_delivery
from notifications.sending.slots import DELIVERIES


class NotArrived(Exception):
    """A delivery is due for another attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not delivered; retrying in {seconds:.0f} s")
        self.seconds = seconds


class AsLongAsItSays(BaseRetryStrategy):
    """Retries when and if the delivery asks for it.

    Our own errors, such as a lost database connection, are retried a few times too.
    """

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> RetryDecision | None:
        if isinstance(exception, NotArrived):
            seconds = exception.seconds
        elif job.attempts < 5:
            seconds = 2.0**job.attempts
        else:
            return None
        return RetryDecision(retry_at=timezone.now() + timedelta(seconds=seconds))


@app.task(name="deliver_notice", queue=DELIVERIES, retry=AsLongAsItSays())
def deliver(delivery_id: str) -> None:
    """Attempt one delivery; raises NotArrived when a retry is due."""
    pause = try_delivery(delivery_id)
    if pause is not None:
        raise NotArrived(pause)
