"""The client's IP address, trusting only the configured number of proxies."""

import logging
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from lora_pipeline.processes.arrivals import is_among

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)
logger = logging.getLogger(__name__)
SAID_EVERY_SECONDS = 3600.0
NGINX_LINE = "proxy_set_header X-Forwarded-Proto $scheme;"
TO_SEND = (
    "Only HTTPS is served: the proxy in front has to send X-Forwarded-Proto, or every "
    f"page is redirected to itself for ever (nginx: {NGINX_LINE})"
)
NOT_SENT = (
    "a proxy at %s sends no X-Forwarded-Proto: %s is redirected to https, for ever "
    f"where it came by https. nginx: {NGINX_LINE}"
)


def say_what_the_proxy_must_send() -> None:
    """At the start of a console that is behind one."""
    if settings.SECURE_SSL_REDIRECT and settings.TRUSTED_PROXIES:
        logger.info(TO_SEND)


class Hourly:
    """Whether something is to be said again: once an hour in each process."""

    def __init__(self) -> None:
        self._until = 0.0

    def is_due(self) -> bool:
        """True for the first to ask in an hour."""
        if time.monotonic() < self._until:
            return False
        self._until = time.monotonic() + SAID_EVERY_SECONDS
        return True


class ProxiesWords:
    """Takes away what a request says of its origin, unless a proxy of ours sent it.

    Whoever reaches the console past its proxies could otherwise choose an address: be
    locked out nowhere, or have somebody else locked out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._not_believed, self._not_sent = Hourly(), Hourly()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_from_proxy(request):
            meta = request.META
            taken = [meta.pop(name) for name in FORWARDED if name in meta]
            if taken and settings.TRUSTED_PROXIES and self._not_believed.is_due():
                self._say(request)
        elif lacks_scheme(request) and self._not_sent.is_due():
            peer, host = request.META.get("REMOTE_ADDR"), request.META.get("HTTP_HOST")
            logger.warning(NOT_SENT, peer or "a socket", host)
        return self.get_response(request)

    def _say(self, request: HttpRequest) -> None:
        """It may be a proxy that nobody named, or an attempt."""
        logger.warning(
            "%s sends X-Forwarded-… and is not believed: if it is a proxy of yours, "
            "name it in PROXY_ADDRESSES",
            request.META.get("REMOTE_ADDR"),
        )


def lacks_scheme(request: HttpRequest) -> bool:
    """Whether our proxy passes on a request for our name and not by which scheme.

    What asks this machine directly, such as a probe, has another host.
    """
    if not (settings.SECURE_SSL_REDIRECT and settings.TRUSTED_PROXIES):
        return False
    if "HTTP_X_FORWARDED_PROTO" in request.META:
        return False
    named = urlsplit(f"//{request.META.get('HTTP_HOST', '')}").hostname
    return named is not None and named == urlsplit(settings.PUBLIC_URL).hostname


def is_from_proxy(request: HttpRequest) -> bool:
    """Whether the peer is one of PROXY_ADDRESSES, or came by a socket file."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return is_among(peer, settings.PROXY_ADDRESSES)


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, or None, as in a test.

    With n proxies in front, the n-th entry of X-Forwarded-For from the right was
    written by the outermost one; anything to its left can be forged.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    named = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(named) and is_from_proxy(request):
        found = named[-settings.TRUSTED_PROXIES].strip() or found
    try:
        address = ip_address(found)
        # An IPv4 client of a socket that takes both is not one of a /64 of IPv6.
        return str(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:
        return None
