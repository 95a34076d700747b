"""Where a request comes from, believing no more proxies than there are."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, None where there is none, as in a test.

    With n proxies before the console, the n-th entry of X-Forwarded-For from the right
    was written by the outermost of them; what stands left of it, anybody can invent.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    named = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(named):
        found = named[-settings.TRUSTED_PROXIES].strip() or found
    try:
        return str(ip_address(found))
    except ValueError:
        return None
