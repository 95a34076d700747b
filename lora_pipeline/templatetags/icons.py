"""Status icons, shown next to the status text."""

from functools import cache

import lucide
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
SIZE = 15
SIGNS = {
    "queued": "clock",
    "initializing": "loader-circle",
    "running": "activity",
    "paused": "circle-pause",
    "completed": "circle-check",
    "failed": "circle-x",
    "cancelled": "ban",
    "uploading": "upload",
    "validating": "loader-circle",
    "ready": "circle-check",
    "error": "circle-x",
}


@register.simple_tag
@cache
def status_sign(status: str) -> SafeString:
    """The icon of a job's or dataset's status; cached because lists repeat it."""
    name = SIGNS.get(status, "circle")
    return mark_safe(lucide._render_icon(name, SIZE, aria_hidden="true"))  # noqa: S308 - an icon of a package, under a name of SIGNS
