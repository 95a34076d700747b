"""The client's IP address, trusting only the configured number of proxies."""

import logging
from collections.abc import Callable
from ipaddress import ip_address

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


class ProxiesWords:
    """Takes away what a request says of its origin, unless a proxy of ours sent it.

    Whoever reaches the console past its proxies could otherwise choose an address: be
    locked out nowhere, or have somebody else locked out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._said = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_from_proxy(request):
            meta = request.META
            taken = [meta.pop(name) for name in FORWARDED if name in meta]
            if taken and settings.TRUSTED_PROXIES and not self._said:
                self._say(request)
        return self.get_response(request)

    def _say(self, request: HttpRequest) -> None:
        """Once a process: it may be a proxy that nobody named, or an attempt."""
        self._said = True
        logger.warning(
            "%s sends X-Forwarded-… and is not believed: if it is a proxy of yours, "
            "name it in PROXY_ADDRESSES",
            request.META.get("REMOTE_ADDR"),
        )


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
        return str(ip_address(found))
    except ValueError:
        return None
