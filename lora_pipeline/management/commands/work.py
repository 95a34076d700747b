"""`manage.py work`: run background tasks until told to stop."""

import asyncio
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from lora_pipeline import lifeline


class Command(BaseCommand):
    help = "Run background tasks (dataset checks, notices, housekeeping)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2)
        parser.add_argument(
            "--once", action="store_true", help="stop when the queue is empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        asyncio.run(_work(options["concurrency"], wait=not options["once"]))


async def _work(concurrency: int, *, wait: bool) -> None:
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    worker_app = app.with_connector(connector)
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            concurrency=concurrency,
            wait=wait,
            fetch_job_polling_interval=5,
            shutdown_graceful_timeout=2,
            delete_jobs="successful",
        )
