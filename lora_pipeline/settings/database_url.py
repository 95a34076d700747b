"""Reads DATABASE_URL, as libpq does, without ever printing what may be its password."""

import re
from difflib import get_close_matches
from typing import Any, NoReturn
from urllib.parse import unquote

from psycopg.pq import Conninfo

from lora_pipeline.env import BadSetting

NAME = "DATABASE_URL"
SHAPE = "postgres://USER:PASSWORD@HOST:PORT/NAME"
URL = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^@/?#\s]*))?@)?"
    r"(?P<hosts>[^@/?#\s]*)/(?P<name>[^/?#@\s]*)(?:\?(?P<query>[^#?\s]*))?"
)
HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(?P<port>\d{1,5}))?")
ENCODE = (
    f"{SHAPE} and percent-encode : / ? # [ ] @ % and spaces in user, password and "
    'name, such as %40 for @ (python3 -c "import getpass, urllib.parse as p; '
    "print(p.quote(getpass.getpass(), safe=''))\")"
)
PARTS = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER"}
PARTS |= {"password": "PASSWORD"}
TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# A server that is gone without a word is noticed in a minute, and not in two hours.
DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def parse(value: str) -> dict[str, Any]:
    """Django's database settings of a URL with one host or several, and options.

    Raises BadSetting in words that name the fault and none of the URL's values.
    """
    found = URL.fullmatch(value.strip())
    if found is None:
        _refuse(ENCODE)
    hosts, ports = _hosts(found["hosts"])
    options = _options(found["query"] or "")
    parts = {
        "HOST": hosts,
        "PORT": ports,
        "NAME": _decoded(found["name"]),
        "USER": _decoded(found["user"] or ""),
        "PASSWORD": _decoded(found["password"] or ""),
    }
    parts |= {PARTS[key]: options.pop(key) for key in PARTS if key in options}
    if not parts["NAME"]:
        _refuse(f"{SHAPE}: the name of the database is missing")
    several = {"target_session_attrs": "read-write"} if "," in hosts else {}
    return {**parts, "OPTIONS": {**DEFAULTS, **several, **options}}


def _refuse(allowed: str) -> NoReturn:
    raise BadSetting(NAME, "postgres://…", allowed)


def _decoded(part: str) -> str:
    """The text of a part; a stray % is a character that was not encoded."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", part):
        _refuse(ENCODE)
    return unquote(part)


def _hosts(text: str) -> tuple[str, str]:
    """Hosts and ports, each with commas; several hosts are tried in this order."""
    hosts, ports = [], []
    for one in text.split(","):
        found = HOST.fullmatch(one)
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            _refuse(ENCODE if "," not in text else f"{SHAPE}, or HOST1:PORT,HOST2:PORT")
        hosts.append(_decoded(found["host"].strip("[]")))
        ports.append(found["port"] or "")
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def _options(query: str) -> dict[str, str]:
    """What libpq is told besides: each name one that it knows."""
    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    found = {}
    for pair in filter(None, query.split("&")):
        key, separator, value = pair.partition("=")
        if key not in known or not separator:
            near = [] if key.startswith("ssl") else get_close_matches(key, known, 1)
            name = near[0] if near else "sslmode"
            _refuse(f"options after ? that PostgreSQL knows, such as {name}=…")
        found[key] = _decoded(value)
    if found.get("sslmode", TLS_MODES[0]) not in TLS_MODES:
        _refuse("sslmode=" + ", ".join(TLS_MODES[:-1]) + f" or {TLS_MODES[-1]}")
    return found
