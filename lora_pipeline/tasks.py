"""Worker tasks of the console itself."""

from procrastinate.contrib.django import app

from lora_pipeline.operations import retention


@app.periodic(cron="41 3 * * *")
@app.task(name="clean_up", queueing_lock="clean_up")
def clean_up(timestamp: int) -> None:
    """Remove expired data and log what was freed."""
    for _ in retention.clean_up():
        pass
