"""Tasks whose worker died: taken up again, and given up after the third time.

A task that kills its worker would otherwise kill one after the other, for ever.
"""

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from procrastinate import App
from procrastinate.jobs import Job, Status

logger = logging.getLogger(__name__)
DEAD_AFTER_SECONDS = 10.0
MOST_DEATHS = 3

COUNT = """
INSERT INTO task_deaths (job_id, count, last_at) VALUES (%(job_id)s, 1, now())
ON CONFLICT (job_id) DO UPDATE SET count = task_deaths.count + 1, last_at = now()
RETURNING count
"""
# A later task for the same thing, waiting or under way, may still bring it to its end.
FAILED = """
SELECT job.id, job.task_name, job.args, coalesce(deaths.count, 0) AS deaths
FROM procrastinate_jobs job
LEFT JOIN task_deaths deaths ON deaths.job_id = job.id
WHERE job.status = 'failed' AND job.task_name = ANY(%(names)s)
AND EXISTS (
    SELECT FROM procrastinate_events event WHERE event.job_id = job.id
    AND event.type = 'failed' AND event.at > now() - interval '1 hour')
AND NOT EXISTS (
    SELECT FROM procrastinate_jobs other WHERE other.status IN ('todo', 'doing')
    AND other.task_name = job.task_name AND other.args = job.args)
"""


async def take_up_orphans(app: App) -> None:
    """Give back to the queue what a worker had begun that then died.

    Tasks can be run twice without harm. The third death of a task's worker is its last.
    """
    stalled = await app.job_manager.get_stalled_jobs(
        seconds_since_heartbeat=DEAD_AFTER_SECONDS
    )
    for job in stalled:
        deaths = await _count_death(app, job)
        if deaths >= MOST_DEATHS:
            words = "%s is given up: its worker died %d times"
            logger.error(words, job.task_name, deaths)
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
        else:
            words = "taking up %s again: its worker died, %d of %d times"
            logger.warning(words, job.task_name, deaths, MOST_DEATHS)
            await app.job_manager.retry_job(job)


async def give_up_failed(app: App) -> None:
    """Bring to an end what waits for a task that failed for good.

    Settings GIVE_UP name for each task who is told: with the task's own arguments, and
    whether it was its worker that died. They leave alone what has ended otherwise.
    """
    names = list(settings.GIVE_UP)
    rows = await app.connector.execute_query_all_async(FAILED, names=names)
    for row in rows:
        try:
            await sync_to_async(_give_up, thread_sensitive=False)(row)
        except Exception:
            logger.exception("could not give up %s", row["task_name"])


def _give_up(row: dict[str, Any]) -> None:
    close_old_connections()
    try:
        give_up = import_string(settings.GIVE_UP[row["task_name"]])
        give_up(**row["args"], died=row["deaths"] >= MOST_DEATHS)
    finally:
        close_old_connections()


async def _count_death(app: App, job: Job) -> int:
    row = await app.connector.execute_query_one_async(COUNT, job_id=job.id)
    return int(row["count"])
