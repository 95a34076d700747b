"""Bounds what a trainer prints: a model's own code may print without end."""

import os
from uuid import UUID

from training.launchers.local import output_log, run_dir
from training.launchers.plain_files import open_below

MOST_BYTES = 50 * 1024**2
KEPT_BYTES = 5 * 1024**2
CUT = b"[... cut here: more was printed than %d MB ...]\n" % (MOST_BYTES // 1024**2)


def bound_log(job_id: UUID, run_id: UUID) -> bool:
    """Cut an attempt's output to its end once it is too large; says whether it was.

    The trainer appends, and so goes on after what is kept.
    """
    folder, log = run_dir(job_id), output_log(job_id, run_id)
    try:
        descriptor = open_below(folder, str(log.relative_to(folder)), os.O_RDWR)
    except OSError:
        return False
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if os.fstat(descriptor).st_size <= MOST_BYTES:
            return False
        file.seek(-KEPT_BYTES, os.SEEK_END)
        kept = file.read(KEPT_BYTES)
        file.truncate(0)
        file.seek(0)
        file.write(CUT + kept)
    return True
