"""Requests a minute: of one address, of one user on pages, and refused sign-ins.

What one user asks of the API is limited by REST framework, in the same numbers. The
counts are kept in each web process, by the minute of the clock.
"""

import time
from collections.abc import Callable
from ipaddress import ip_network

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from lora_pipeline.api.envelope import is_api, json_error
from lora_pipeline.web.addresses import client_address

WINDOW_SECONDS = 60
IPV6_PREFIX = 64  # what one household or host is given
SIGN_IN_DOORS = {"/sign-in", "/admin/login/"}
TRAINERS = "/api/runs/"


class RateLimits:
    """429 with Retry-After for who asks too much.

    A run's reports are not counted: hundreds a second are usual, and only its token
    opens them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(TRAINERS):
            return self.get_response(request)
        address = counted_address(request)
        if _is_over(request, address):
            return too_many(request)
        response = self.get_response(request)
        if was_refused(request, response):
            count("refused", address)
        return response


def _is_over(request: HttpRequest, address: str) -> bool:
    """Whether this request, now counted, is one too many."""
    if count("address", address) > settings.ADDRESS_REQUESTS_PER_MINUTE:
        return True
    if not request.user.is_authenticated:
        return counted("refused", address) >= settings.REFUSED_SIGN_INS_PER_MINUTE
    if is_api(request):
        return False
    return count("user", str(request.user.pk)) > settings.API_REQUESTS_PER_MINUTE


def was_refused(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether somebody sent a wrong password or an unknown key."""
    if request.path in SIGN_IN_DOORS:
        return request.method == "POST" and response.status_code != 302
    given = "HTTP_AUTHORIZATION" in request.META
    return given and is_api(request) and response.status_code == 401


def counted_address(request: HttpRequest) -> str:
    """Where a request comes from, IPv6 by its first 64 bits."""
    address = client_address(request)
    if address is None or ":" not in address:
        return address or ""
    return str(ip_network((address, IPV6_PREFIX), strict=False))


def count(kind: str, who: str) -> int:
    """Count one more in this minute; answers how many that makes."""
    key = _key(kind, who)
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # thrown out by the cache in between
        return 1


def counted(kind: str, who: str) -> int:
    """How many were counted in this minute."""
    return int(cache.get(_key(kind, who), 0))


def _key(kind: str, who: str) -> str:
    return f"limit:{kind}:{who.replace(' ', '_')}:{int(time.time() // WINDOW_SECONDS)}"


def too_many(request: HttpRequest) -> HttpResponse:
    """429 in the shape that the caller reads, with the seconds to wait."""
    seconds = WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
    words = f"Too many requests: try again in {seconds} s."
    if is_api(request):
        answer: HttpResponse = json_error(words, status_code=429, code="throttled")
    else:
        found = {"title": "Too many requests", "words": words}
        answer = render(request, "error.html", found, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
