"""Reads environment variables; an invalid value stops the start with a clear error."""

import os
import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

Network: TypeAlias = IPv4Network | IPv6Network


DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[0-9A-Za-z._-]+|[0-9a-f:.]+(%\w+)?")
SUB_PATH = re.compile(r"(/(?!\.+(/|$))[0-9A-Za-z._~-]+)*")


class BadSetting(SystemExit):
    """An environment variable has an invalid value."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name}={value!r} is invalid: use {allowed}.")


def text(name: str, default: str = "") -> str:
    """The variable unchanged, or the default."""
    return os.environ.get(name, default)


def flag(name: str, default: bool = False) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off, in any case."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(name, value, "1 or 0")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """An integer of at least the minimum."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.lstrip("-").isdigit() or int(value) < minimum:
        raise BadSetting(name, value, f"an integer of at least {minimum}")
    return int(value)


def number(name: str, default: float, *, minimum: float = 0.0) -> float:
    """A decimal number of at least the minimum."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        raise BadSetting(name, value, f"a number of at least {minimum}") from None
    if not minimum <= parsed < float("inf"):
        raise BadSetting(name, value, f"a number of at least {minimum}")
    return parsed


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """A comma-separated list without empty entries."""
    value = os.environ.get(name, "")
    return [word.strip() for word in value.split(",") if word.strip()] or list(default)


def networks(name: str, default: Sequence[str]) -> list[Network]:
    """Comma-separated IP addresses, or networks such as 10.0.0.0/8."""
    try:
        return [ip_network(word) for word in words(name, default)]
    except ValueError:
        allowed = "addresses or networks such as 127.0.0.1,10.0.0.0/8"
        raise BadSetting(name, text(name), allowed) from None


def choice(name: str, allowed: Sequence[str], default: str) -> str:
    """One of the allowed values."""
    value = os.environ.get(name, "").strip() or default
    if value not in allowed:
        raise BadSetting(name, value, " or ".join(allowed))
    return value


def web_address(name: str) -> str:
    """An http or https URL, as browsers write it; empty when unset.

    The host is in lower case and punycode, the scheme's own port is left out, and so
    is the slash at the end. A path stays: the console is below it.
    """
    value = os.environ.get(name, "").strip().rstrip("/")
    if not value:
        return ""
    allowed = "a URL such as https://lora.example.org or https://example.org/lora"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError:
        raise BadSetting(name, value, allowed) from None
    if parts.scheme not in DEFAULT_PORTS or not HOST.fullmatch(host):
        raise BadSetting(name, value, allowed)
    if parts.query or parts.fragment or parts.username is not None:
        raise BadSetting(name, value, f"{allowed}, without a user, ? and #")
    if not SUB_PATH.fullmatch(parts.path) or parts.path.startswith("/api"):
        words = "a path of letters, digits, '.', '_', '-' that does not begin with /api"
        raise BadSetting(name, value, words)
    shown = f"[{host}]" if ":" in host else host
    named = "" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{shown}{named}{parts.path}"


def host_of(address: str) -> list[str]:
    """The host of a URL as a list of one; an empty list without a URL."""
    host = urlsplit(address).hostname
    return [f"[{host}]" if ":" in host else host] if host else []


def origin_of(address: str) -> list[str]:
    """The origin of a URL as a list of one; an empty list without a URL."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if address else []


def path(name: str, default: Path) -> Path:
    """An absolute path; expands `~`."""
    value = os.environ.get(name, "").strip()
    return Path(value).expanduser().resolve() if value else default
