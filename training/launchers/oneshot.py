"""The trainer program for one short piece of work, watched line by line."""

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
    """The trainer could not do it; the message is for the one who asked."""


def lines_of(arguments: Sequence[str], *, seconds: float) -> Iterator[dict[str, Any]]:
    """What the trainer says, one JSON object a line, as it says it.

    It belongs to our process group, so that it ends with us, and runs a little less
    eagerly than the trainers of jobs. Raises WorkFailed when it fails or takes longer
    than it may.
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
        return f"It took longer than the {limit:.0f} seconds that it may take."
    said = [line for line in errors.decode(errors="replace").splitlines() if line]
    return f"The trainer failed: {said[-1][:LONGEST_WORDS] if said else 'no word'}"


def _command(arguments: Sequence[str]) -> list[str]:
    return ["nice", "-n", str(NICENESS), *trainer_command(*arguments)]


def _environment() -> dict[str, str]:
    """As a run has it, with the hub's token as the only secret of the console."""
    own = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return trainer_environment() | own | hub_token()
