"""What somebody reads who guessed a password too often."""

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
    "The password of this user was wrong {times} times from your address. Try again in "
    "{minutes} min, or ask an operator to remove the lock (in the admin, under Axes)."
)


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The user name that was tried, as far as a user can have it."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(name)[:LONGEST_NAME].replace("\0", "")


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """429 that says for how long; the same words for users that do not exist."""
    seconds = _seconds_left(request, credentials)
    words = WORDS.format(
        times=settings.AXES_FAILURE_LIMIT, minutes=max(ceil(seconds / 60), 1)
    )
    answer = render(
        request,
        "error.html",
        {"title": "Locked for a while", "words": words},
        status=429,
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _seconds_left(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    """From now to the end of the lock, which began with the last failure."""
    attempts = AccessAttempt.objects.filter(
        username=tried_name(request, credentials),
        ip_address=client_address(request),
    )
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True)
    ends = (last.first() or timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(ceil((ends - timezone.now()).total_seconds()), 1)
