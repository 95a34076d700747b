"""Checks that a port is free before anything is started."""

import argparse
import socket
from collections.abc import Sequence

HOST = "127.0.0.1"
PORT = 8000


def require_free(arguments: Sequence[str]) -> None:
    """Read --host and --port; SystemExit with a message if the port is taken."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=PORT)
    try:
        given, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError:
        return
    if {"-h", "--help"} & set(arguments):
        return
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((given.host, given.port))
        except OSError as error:
            raise SystemExit(
                f"Cannot listen on {given.host}:{given.port}: {error.strerror}. Stop "
                f"what is listening there, or use another port, such as --port "
                f"{given.port + 1}."
            ) from None
