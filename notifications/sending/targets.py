"""Where a webhook may point: resolved once, checked, and then connected to as checked.

A webhook is an address that a user names and our own machine calls. Without a check it
would reach what only this machine reaches: cloud metadata, databases, neighbours.
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
    """The address of a webhook cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address in the parts that a connection needs."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The name that the receiver expects to be called by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        return host if self.port == usual else f"{host}:{self.port}"


def host_of(url: str) -> str:
    """The host of a URL, for whoever need not know the rest; the URL was checked."""
    return urlsplit(url).hostname or "an unknown host"


def parse_target(url: str) -> Target:
    """The parts of a URL. Raises TargetRefused for one that is not to be called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetRefused(f"Received {url[:100]!r}; give a URL.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise TargetRefused(f"Received {url[:100]!r}; give a URL with https://.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise TargetRefused("Give an https:// URL: notices are not sent in the clear.")
    if parts.username or parts.password:
        raise TargetRefused("Leave user name and password out of the URL.")
    if any(c.isspace() or not c.isprintable() for c in url):
        raise TargetRefused("The URL holds a blank or a control character.")
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
    """The name as it is looked up, certified and sent: `xn--…` for other letters."""
    if ":" in host:
        if "%" in host:
            raise TargetRefused("Leave the zone (%…) out of the IPv6 address.")
        return host
    if DISPUTED & set(host):
        raise TargetRefused(f"Give {host} as the name's registry spells it, xn--….")
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError:
        raise TargetRefused(f"{host[:100]!r} is no name of a host.") from None
    if not HOST.fullmatch(name):
        raise TargetRefused(f"{host[:100]!r} is no name of a host.")
    return name


def resolve(target: Target, deadline: Deadline | None = None) -> list[str]:
    """The addresses to connect to. Raises TargetRefused where one of them is private.

    The caller connects to what is returned, not to the name again: a name that answers
    differently the second time gains nothing.
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
            f"{host} is {address}, which is not a public address. An operator may "
            "allow private ones with WEBHOOK_ALLOW_PRIVATE=1."
        )


def is_public(address: Address) -> bool:
    """Reachable by anybody, also when looked at through IPv6's ways to wrap IPv4."""
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
