"""The response after too many failed sign-ins."""

from math import ceil
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from lora_pipeline.web.addresses import client_address

LONGEST_NAME = 150
WORDS = (
    "There were {times} failed sign-ins for this user from your address. Try again in "
    "{minutes} min, or ask an operator to unlock it (in the admin, under Axes, or with "
    "'manage.py axes_reset_username')."
)


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The username that was tried, cut to the maximum length."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(name)[:LONGEST_NAME].replace("\0", "")


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """429 that says how long; the same text for users that do not exist."""
    seconds = _seconds_left(request, credentials)
    words = WORDS.format(
        times=settings.AXES_FAILURE_LIMIT, minutes=max(ceil(seconds / 60), 1)
    )
    answer = render(
        request,
        "error.html",
        {"title": "Temporarily locked", "words": words},
        status=429,
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _seconds_left(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    """Time left until the lockout ends; it starts at the last failure."""
    attempts = AccessAttempt.objects.filter(
        username=tried_name(request, credentials),
        ip_address=client_address(request),
    )
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True)
    ends = (last.first() or timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(ceil((ends - timezone.now()).total_seconds()), 1)
