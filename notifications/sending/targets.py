"""Checks where a webhook may point: resolve once, check, connect to that address.

A webhook is a URL that a user supplies and this machine calls. Unchecked, it would
reach internal services: cloud metadata, databases, neighbours (SSRF).
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

LONGEST_URL = 500
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TargetRefused(ValueError):
    """The URL of a webhook cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The parts of a URL that a connection needs."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The Host header for the receiver."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        return host if self.port == usual else f"{host}:{self.port}"


def host_of(url: str) -> str:
    """The host of a URL that was already checked; hides the rest."""
    return urlsplit(url).hostname or "an unknown host"


def parse_target(url: str) -> Target:
    """Parse a URL. Raises TargetRefused for one that must not be called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetRefused(f"Received {url[:100]!r}; enter a URL.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise TargetRefused(
            f"Received {url[:100]!r}; the URL must start with https://."
        )
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise TargetRefused(
            "The URL must use https://: notifications are not sent unencrypted."
        )
    if parts.username or parts.password:
        raise TargetRefused("Remove the user name and password from the URL.")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise TargetRefused("The URL contains a space or a control character.")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    usual = 443 if secure else 80
    return Target(secure=secure, host=parts.hostname, port=port or usual, path=path)


def resolve(target: Target) -> str:
    """The IP address to connect to. Raises TargetRefused if any is private.

    The caller connects to the returned address and does not resolve again, which
    defeats DNS rebinding.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError(f"{target.host} could not be resolved: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.WEBHOOK_ALLOW_PRIVATE:
        for address in addresses:
            _require_public(target.host, address)
    return addresses[0]


def _require_public(host: str, address: str) -> None:
    if not is_public(ipaddress.ip_address(address.partition("%")[0])):
        raise TargetRefused(
            f"{host} resolves to {address}, which is not public. An operator can "
            "allow private addresses with WEBHOOK_ALLOW_PRIVATE=1."
        )


def is_public(address: Address) -> bool:
    """Whether an address is public, including IPv4 wrapped in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address.teredo is not None or address in TRANSLATED:
            return False
    return address.is_global and not address.is_multicast
