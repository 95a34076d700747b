"""Checks where a webhook may point: resolve once, check, connect to that address.

A webhook is a URL that a user supplies and this machine calls. Unchecked, it would
reach internal services: cloud metadata, databases, neighbours (SSRF).
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.conf import settings

from notifications.sending.deadline import Deadline, look_up

LONGEST_URL = 500
LOOKUP_SECONDS = 5.0
HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.ASCII)
# Letters that older and newer rules of international names spell as different names.
DISPUTED = set("\u00df\u03c2\u200c\u200d")
IN_PATHS = "/%:@!$&'()*+,;=~?"
# All of IPv6 that is given out to be reached by anybody.
UNICAST = ipaddress.ip_network("2000::/3")
DOCUMENTATION = ipaddress.ip_network("3fff::/20")
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
    if any(c.isspace() or not c.isprintable() for c in url):
        raise TargetRefused("The URL contains a space or a control character.")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    usual = 443 if secure else 80
    return Target(
        secure=secure,
        host=_ascii_host(parts.hostname),
        port=port or usual,
        path=quote(path, safe=IN_PATHS),
    )


def _ascii_host(host: str) -> str:
    """The host as it is resolved and certified: `xn--…` for non-ASCII names."""
    if ":" in host:
        if "%" in host:
            raise TargetRefused("Remove the zone (%…) from the IPv6 address.")
        return host
    if DISPUTED & set(host):
        raise TargetRefused(f"Give {host} in its registered ASCII form, xn--….")
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError:
        raise TargetRefused(f"{host[:100]!r} is not a host name.") from None
    if not HOST.fullmatch(name):
        raise TargetRefused(f"{host[:100]!r} is not a host name.")
    return name


def resolve(target: Target, deadline: Deadline | None = None) -> list[str]:
    """The IP addresses to connect to. Raises TargetRefused if any is private.

    The caller connects to the returned address and does not resolve again, which
    defeats DNS rebinding.
    """
    deadline = deadline or Deadline(LOOKUP_SECONDS)
    addresses = look_up(target.host, target.port, deadline)
    if not settings.WEBHOOK_ALLOW_PRIVATE:
        for address in addresses:
            _require_public(target.host, address)
    return addresses


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
        if address not in UNICAST or address in DOCUMENTATION:
            return False
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast
