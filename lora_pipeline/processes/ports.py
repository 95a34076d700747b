"""Checks that a port is free before anything is started."""

import socket

from django.core.management.base import CommandError

HOST = "127.0.0.1"
PORT = 8000


def require_free(host: str, port: int) -> None:
    """Raises CommandError with a message if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. Stop what listens "
                f"there, or use another port, such as --port {port + 1}."
            ) from None
