"""Where the web server's processes count together, so that any can answer for all.

Apart from `metrics`, since the variable must be set before the library is imported.
"""

import os
import shutil
from pathlib import Path
from typing import Any

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def use(folder: Path) -> None:
    """In the parent, before its workers start: an empty folder for their counts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ[MULTIPROCESS] = str(folder)


def forget_worker(server: Any, worker: Any) -> None:
    """Gunicorn's hook: a worker that ended has no state of the moment any more."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - reads the variable that is set here

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
