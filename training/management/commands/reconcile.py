"""`manage.py reconcile`: starts, observes and stops runs until stopped."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from lora_pipeline.postgres.versions import require_known_database
from lora_pipeline.processes import lifeline
from training.catalogue import detect
from training.runs import reconciler


class Command(BaseCommand):
    help = "Start, observe and stop training runs."

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        stop = Event()

        def end(*_: object) -> None:
            stop.set()
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        require_known_database()
        offers = detect.detect()
        found = ", ".join(f"{count} x {name}" for name, count in offers.items())
        self.stdout.write(f"this machine offers {found or 'no hardware to train on'}")
        try:
            reconciler.run_forever(stop)
        except KeyboardInterrupt:
            self.stdout.write("stopped; runs continue")
