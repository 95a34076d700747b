"""The client's IP address, trusting only the configured number of proxies."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, or None, as in a test.

    With n proxies in front, the n-th entry of X-Forwarded-For from the right was
    written by the outermost one; anything to its left can be forged.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    named = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(named):
        found = named[-settings.TRUSTED_PROXIES].strip() or found
    try:
        return str(ip_address(found))
    except ValueError:
        return None
