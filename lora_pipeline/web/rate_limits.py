"""Rate limits per minute: by address, by user on pages, and failed sign-ins.

REST framework limits API requests per user, with the same numbers. Counts are kept in
each web process, per clock minute.
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
IPV6_PREFIX = 64  # the prefix assigned to one household or host
SIGN_IN_DOORS = {
    "/sign-in",
    "/admin/login/",
    "/password/forgotten",
    "/password/new",
}
TRAINERS = "/api/runs/"


class RateLimits:
    """429 with Retry-After for clients over the limit.

    Reports from runs are not counted: hundreds per second are normal, and they need a
    run token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(TRAINERS):
            return self.get_response(request)
        address = counted_address(request)
        if _is_over(request, address):
            return too_many(request)
        response = self.get_response(request)
        if was_refused(request, response):
            count("refused", address)
        return response


def _is_over(request: HttpRequest, address: str) -> bool:
    """Count this request and return whether it exceeds the limit."""
    if count("address", address) > settings.ADDRESS_REQUESTS_PER_MINUTE:
        return True
    if not request.user.is_authenticated:
        return counted("refused", address) >= settings.REFUSED_SIGN_INS_PER_MINUTE
    if is_api(request):
        return False
    return count("user", str(request.user.pk)) > settings.API_REQUESTS_PER_MINUTE


def was_refused(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the response rejects a wrong password or an unknown key."""
    if request.path_info in SIGN_IN_DOORS:
        return request.method == "POST" and response.status_code != 302
    given = "HTTP_AUTHORIZATION" in request.META
    return given and is_api(request) and response.status_code == 401


def counted_address(request: HttpRequest) -> str:
    """The client's address; for IPv6 its /64 prefix."""
    address = client_address(request)
    if address is None or ":" not in address:
        return address or ""
    return str(ip_network((address, IPV6_PREFIX), strict=False))


def count(kind: str, who: str) -> int:
    """Count one more in this minute; returns the new count."""
    key = _key(kind, who)
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # evicted by the cache in between
        return 1


def counted(kind: str, who: str) -> int:
    """The count for this minute."""
    return int(cache.get(_key(kind, who), 0))


def _key(kind: str, who: str) -> str:
    return f"limit:{kind}:{who.replace(' ', '_')}:{int(time.time() // WINDOW_SECONDS)}"


def too_many(request: HttpRequest) -> HttpResponse:
    """429 as JSON or as a page, with the seconds to wait."""
    seconds = WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
    words = f"Too many requests. Try again in {seconds} s."
    if is_api(request):
        answer: HttpResponse = json_error(words, status_code=429, code="throttled")
    else:
        found = {"title": "Too many requests", "words": words}
        answer = render(request, "error.html", found, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
