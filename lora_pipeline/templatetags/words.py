"""Number and duration formats for templates."""

from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

register = template.Library()
NOTHING = "\N{EN DASH}"
MINUTE, HOUR, DAY = 60, 3600, 86_400


@register.filter
def usd(value: Decimal | float | None) -> str:
    """1234.5 as 1,234.50; a dash for None."""
    return NOTHING if value is None else intcomma(f"{value:.2f}")


@register.filter
def span(seconds: float | None) -> str:
    """A duration in its two largest units; a dash for None."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    if whole < 2 * DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


@register.filter
def hours(value: float) -> str:
    """3.57 h; in minutes below one hour."""
    return span(value * HOUR) if value < 1 else f"{value:.2f} h"


@register.filter
def about(hours: float) -> str:
    """A rounded duration: 36 minutes, 3 h 34 min."""
    minutes = max(round(hours * 60), 1)
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // (24 * 60)} d {minutes % (24 * 60) // 60} h"


@register.filter
def count_of(number: float | None, noun: str) -> str:
    """1 epoch, 3 epochs, 1,000 pairs."""
    if number is None:
        return NOTHING
    plural = noun if number == 1 else f"{noun}s"
    return f"{intcomma(number)} {plural}"
