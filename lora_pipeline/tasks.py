"""Worker tasks of the console itself."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from lora_pipeline.accounts import recovery
from lora_pipeline.operations import growth, retention


@app.periodic(cron="41 3 * * *")
@app.task(name="clean_up", queueing_lock="clean_up")
def clean_up(timestamp: int) -> None:
    """Remove expired data and log what was freed."""
    for _ in retention.clean_up():
        pass


@app.periodic(cron="17 * * * *")
@app.task(name="rotate_logs", queueing_lock="rotate_logs")
def rotate_logs(timestamp: int) -> None:
    """Cut the logs that became too large."""
    growth.rotate_logs()


@app.task(
    name=recovery.TASK,
    queue=recovery.QUEUE,
    retry=RetryStrategy(max_attempts=4, wait=30),
)
def mail_reset_link(user_id: str) -> None:
    """Mail a user the link to choose a new password."""
    recovery.mail_link(user_id)
