"""The folder where web processes share metrics, so that any can answer for all.

Separate from `metrics` because the variable must be set before the library import.
"""

import os
from pathlib import Path
from typing import Any

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def use(folder: Path) -> None:
    """Create the folder, in the parent, before the workers start.

    Only what the library itself leaves there is removed.
    """
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink(missing_ok=True)
    os.environ[MULTIPROCESS] = str(folder)


def forget_worker(server: Any, worker: Any) -> None:
    """Gunicorn hook: remove the gauges of a worker that exited."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - reads the variable that is set here

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
