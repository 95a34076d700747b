"""Validation progress, written to the row now and then for the page to show."""

import time

from django.utils import timezone

from datasets.models import Dataset

EVERY_SECONDS = 0.5


class Abandoned(Exception):
    """The dataset was deleted or finished while it was being validated."""


class Progress:
    """Overall progress over consecutive stages, each with its share of the total."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._stage = ""
        self._start = self._width = 0.0
        self._written = 0.0

    def enter(self, stage: str, start: float, end: float) -> None:
        """Start a stage that covers the progress from `start` to `end`."""
        self._stage, self._start, self._width = stage, start, end - start
        self._write(start)

    def at(self, share: float) -> None:
        """Report the fraction of the stage done; written at most twice a second.

        Raises Abandoned when the result is no longer needed.
        """
        if time.monotonic() - self._written >= EVERY_SECONDS:
            self._write(self._start + share * self._width)

    def _write(self, progress: float) -> None:
        rows = Dataset.objects.filter(
            pk=self._dataset.pk, status=Dataset.Status.VALIDATING, deleted_at=None
        )
        now = timezone.now()
        if not rows.update(progress=progress, stage=self._stage, updated_at=now):
            raise Abandoned
        self._written = time.monotonic()
