"""`manage.py work`: runs background tasks until stopped."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from procrastinate import App, PsycopgConnector, signals
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

from lora_pipeline.files.scratch import remove_scratch
from lora_pipeline.operations.take_ups import give_up_failed, take_up_orphans
from lora_pipeline.postgres.versions import require_known_database
from lora_pipeline.processes import lifeline

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 1.0  # how late a task that was put off is taken up
REMEDY = "Whoever started it starts it again; is the database running?"
SPARE_THREADS = 8  # for what asyncio itself looks up and waits for


class EndedByItself(RuntimeError):
    """A set of worker slots ended that nobody had asked to."""


class Command(BaseCommand):
    help = "Run background tasks (dataset validation, notifications, clean-up)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2)
        parser.add_argument(
            "--grace",
            type=float,
            default=2.0,
            help="seconds that SIGTERM leaves to running tasks; the rest are requeued",
        )
        parser.add_argument(
            "--once", action="store_true", help="stop when the queue is empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        require_known_database()
        try:
            asyncio.run(
                _work(
                    options["concurrency"],
                    wait=not options["once"],
                    grace_seconds=options["grace"],
                )
            )
        except (ConnectorException, psycopg.Error, EndedByItself) as error:
            words = f"The worker stopped without being asked to: {error}."
            raise CommandError(f"{words} {REMEDY}") from error


async def _work(concurrency: int, *, wait: bool, grace_seconds: float) -> None:
    """One set of slots for each queue that has its own, and one for all the others."""
    slots: dict[tuple[str, ...], int] = {
        (name,): count for name, count in settings.QUEUE_SLOTS.items()
    }
    slots[other_queues()] = concurrency
    threads = ThreadPoolExecutor(sum(slots.values()) + SPARE_THREADS)
    asyncio.get_running_loop().set_default_executor(threads)
    worker_app = app.with_connector(_connector())
    options = {"wait": wait, "shutdown_graceful_timeout": grace_seconds}
    async with worker_app.open_async():
        beside = asyncio.create_task(_look_after(worker_app))
        sets = [
            asyncio.create_task(_serve(worker_app, queues, count, **options))
            for queues, count in slots.items()
        ]
        try:
            with signals.on_stop(lambda: _cancel(sets)):
                await _until_all_end(sets)
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside


def _connector() -> PsycopgConnector:
    """Connections of the worker's own, each in the role that sees all tasks."""
    role = connection.settings_dict["OPTIONS"]["assume_role"]

    async def assume(made: psycopg.AsyncConnection[Any]) -> None:
        await made.execute("SELECT set_config('role', %s, false)", [role or "none"])
        await made.commit()

    return PsycopgConnector(kwargs=connector_params(), configure=assume)


def other_queues() -> tuple[str, ...]:
    """Every queue that some task is put into and that has no slots of its own."""
    named = {task.queue for task in app.tasks.values()} | {"default"}
    return tuple(sorted(named - set(settings.QUEUE_SLOTS)))


async def _serve(
    worker_app: App, queues: tuple[str, ...], count: int, **options: Any
) -> None:
    """Ends gracefully when it is cancelled.

    Procrastinate's worker also ends by itself, without an error, when its listener or
    its heartbeat fails. Raises EndedByItself then, so that whoever started this process
    starts it anew.
    """
    with suppress(asyncio.CancelledError):
        await worker_app.run_worker_async(
            queues=list(queues),
            concurrency=count,
            fetch_job_polling_interval=POLL_SECONDS,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            install_signal_handlers=False,
            **options,
        )
        if options["wait"]:
            raise EndedByItself("it lost the database, as the log above says")


async def _until_all_end(sets: list["asyncio.Task[None]"]) -> None:
    """One that fails takes the others along, so that the whole worker is begun anew."""
    try:
        await asyncio.gather(*sets)
    finally:
        _cancel(sets)
        await asyncio.gather(*sets, return_exceptions=True)


def _cancel(sets: list["asyncio.Task[None]"]) -> None:
    for one in sets:
        one.cancel()


async def _look_after(worker_app: App) -> None:
    """Until ended: requeue tasks whose worker died, give up on what can never succeed,
    and remove what they left on the disk.

    Workers send a heartbeat every 2 seconds.
    """
    while True:
        try:
            await take_up_orphans(worker_app)
            await give_up_failed(worker_app)
            await asyncio.to_thread(remove_scratch)
        except Exception:
            logger.exception("could not look for orphaned tasks")
        await asyncio.sleep(HEARTBEAT_SECONDS)
