"""`manage.py probe`: benchmarks this machine to calibrate estimates."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.estimates.probe import machine_to_probe, probe
from training.models import GpuType


class Command(BaseCommand):
    help = (
        "Train randomly initialised models for a few steps each and record the "
        "measurements. No weights are needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gpu-type", help="name in the catalogue")
        parser.add_argument(
            "--seconds",
            type=float,
            default=600,
            help="time limit in seconds; default 600",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        gpu = self._machine(options["gpu_type"])
        self.stdout.write(f"probing {gpu.name} for up to {options['seconds']:.0f} s")
        stored = probe(gpu, seconds=options["seconds"], say=self.stdout.write)
        if not stored:
            raise CommandError("Nothing was measured; see above.")
        self.stdout.write(f"{stored} records stored")

    def _machine(self, name: str | None) -> GpuType:
        if name is None:
            return machine_to_probe()
        gpu = GpuType.objects.filter(pk=name).first()
        if gpu is None:
            known = ", ".join(GpuType.objects.values_list("name", flat=True))
            raise CommandError(f"Received {name!r}; choose one of: {known}.")
        return gpu
