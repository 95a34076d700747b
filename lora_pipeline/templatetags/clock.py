"""Relative times for templates."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()
MINUTE = 60


@register.filter
def ago(moment: datetime) -> str:
    """Time since, in its largest unit; `just now` within the last minute."""
    if (timezone.now() - moment).total_seconds() < MINUTE:
        return "just now"
    return f"{timesince(moment, depth=1)} ago"
