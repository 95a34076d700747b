"""Retention: one rule per kind of data, each with its own setting.

0 keeps a kind forever. `manage.py clean_up --dry-run` shows what would be removed; the
worker does it every night.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from lora_pipeline.models import BrowserSession

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Freed:
    """What one rule removed or would remove."""

    what: str
    count: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        """Count one more item of this size."""
        self.count += 1
        self.size_bytes += size_bytes

    def __str__(self) -> str:
        size = f", {self.size_bytes / 1e6:.1f} MB" if self.size_bytes else ""
        return f"{self.count} {self.what}{size}"


def clean_up(*, dry_run: bool = False) -> Iterator[Freed]:
    """Apply every enabled rule; a failing rule does not stop the others."""
    for setting, path in settings.RETENTION_RULES.items():
        if days := getattr(settings, setting):
            try:
                freed = import_string(path)(_before(days), dry_run=dry_run)
            except Exception:
                logger.exception("clean-up rule %s failed", setting)
                continue
            logger.info("%s: %s", "would remove" if dry_run else "removed", freed)
            yield freed


def _before(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def remove_sessions(before: datetime, *, dry_run: bool) -> Freed:
    """Sessions that expired before a point in time."""
    ended = BrowserSession.objects.filter(expire_date__lt=before)
    freed = Freed("expired sessions", ended.count())
    if not dry_run:
        ended.delete()
    return freed
