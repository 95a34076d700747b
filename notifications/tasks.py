"""What the worker does for notices."""

from datetime import timedelta

from django.utils import timezone
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

DELIVERIES = "deliveries"
"""A queue with slots of its own, so that nothing else waits for a slow receiver."""


class NotArrived(Exception):
    """A delivery is to be tried again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not delivered; trying again in {seconds:.0f} s")
        self.seconds = seconds


class AsLongAsItSays(BaseRetryStrategy):
    """Another try when the delivery asks for one, and when it asks for it.

    A fault of ours, such as a database that is away, is tried again a few times too.
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
    """Try one delivery; raises NotArrived where another try is due."""
    from notifications.sending.attempt import try_delivery

    pause = try_delivery(delivery_id)
    if pause is not None:
        raise NotArrived(pause)
