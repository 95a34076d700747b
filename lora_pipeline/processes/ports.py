"""Checks that a port is free before anything is started."""

import socket

from django.core.management.base import CommandError

HOST = "127.0.0.1"
PORT = 8000


def bare(host: str) -> str:
    """A host as sockets take it: an IPv6 address without the brackets of a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def in_url(host: str) -> str:
    """A host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def require_free(host: str, port: int) -> None:
    """Raises CommandError with a message if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {in_url(host)}:{port}: {error.strerror}. Stop what "
                f"listens there, or use another port, such as --port {port + 1}."
            ) from None
