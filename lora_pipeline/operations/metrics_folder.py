"""The folder where web processes share metrics, so that any can answer for all.

Separate from `metrics` because the variable must be set before the library import.
"""

import os
import shutil
from pathlib import Path
from typing import Any

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def use(folder: Path) -> None:
    """Create the empty folder, in the parent, before the workers start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ[MULTIPROCESS] = str(folder)


def forget_worker(server: Any, worker: Any) -> None:
    """Gunicorn hook: remove the gauges of a worker that exited."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - reads the variable that is set here

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
