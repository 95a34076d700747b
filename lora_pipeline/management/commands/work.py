"""`manage.py work`: run background tasks until told to stop."""

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandParser
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from lora_pipeline.operations.take_ups import give_up_failed, take_up_orphans
from lora_pipeline.processes import lifeline

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 2.0


class Command(BaseCommand):
    help = "Run background tasks (dataset checks, notices, housekeeping)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2)
        parser.add_argument(
            "--grace",
            type=float,
            default=2.0,
            help="seconds that SIGTERM leaves to tasks under way; then others do them",
        )
        parser.add_argument(
            "--once", action="store_true", help="stop when the queue is empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        asyncio.run(
            _work(
                options["concurrency"],
                wait=not options["once"],
                grace_seconds=options["grace"],
            )
        )


async def _work(concurrency: int, *, wait: bool, grace_seconds: float) -> None:
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    worker_app = app.with_connector(connector)
    async with worker_app.open_async():
        beside = asyncio.create_task(_look_after(worker_app))
        try:
            await worker_app.run_worker_async(
                concurrency=concurrency,
                wait=wait,
                fetch_job_polling_interval=5,
                shutdown_graceful_timeout=grace_seconds,
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
            )
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside


async def _look_after(worker_app: App) -> None:
    """Tasks of workers that died, and what waits for tasks that failed, until ended.

    A worker says every 2 seconds that it lives.
    """
    while True:
        try:
            await take_up_orphans(worker_app)
            await give_up_failed(worker_app)
        except Exception:
            logger.exception("could not look for orphaned tasks")
        await asyncio.sleep(HEARTBEAT_SECONDS)
