"""Runs the trainer program for one short task and reads its output line by line."""

import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from training.launchers.account import command_as, started_as
from training.launchers.program import hub_token, trainer_command, trainer_environment

LONGEST_WORDS = 500
NICENESS = 5


class WorkFailed(Exception):
    """The trainer failed; the message is for the user."""


def lines_of(arguments: Sequence[str], *, seconds: float) -> Iterator[dict[str, Any]]:
    """Yields the trainer's output, one JSON object per line, as it arrives.

    It belongs to our process group, so that it ends with us, and runs at a lower
    priority than the trainers of jobs. Raises WorkFailed on failure or timeout.
    """
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(  # noqa: S603 - a list without a shell; files and ids of ours
            command_as(_command(arguments)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
            text=True,
            **started_as(),
        )
        limit = threading.Timer(seconds, child.kill)
        limit.start()
        try:
            for line in child.stdout or ():
                with suppress(json.JSONDecodeError):
                    yield json.loads(line)
            status = child.wait()
        finally:
            expired = limit.finished.is_set()
            limit.cancel()
            child.kill()
            child.wait()
        if status:
            errors.seek(0)
            raise WorkFailed(_words(errors.read(), seconds if expired else None))


def _words(errors: bytes, limit: float | None) -> str:
    if limit is not None:
        return f"The trainer exceeded its time limit of {limit:.0f} seconds."
    said = [line for line in errors.decode(errors="replace").splitlines() if line]
    return f"The trainer failed: {said[-1][:LONGEST_WORDS] if said else 'no output'}"


def _command(arguments: Sequence[str]) -> list[str]:
    return ["nice", "-n", str(NICENESS), *trainer_command(*arguments)]


def _environment() -> dict[str, str]:
    """The environment of a run, with the hub token as the only secret."""
    own = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return trainer_environment() | own | hub_token()
