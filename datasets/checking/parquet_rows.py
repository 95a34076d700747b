"""A separate program: writes a Parquet file's rows as JSON Lines to standard output.

A malicious file can crash a Parquet reader or make it allocate without bound. Here that
kills this process, which runs under a memory limit, and not the worker.
"""

import os
import resource
import sys

MAX_MEMORY_BYTES = 3 * 1024**3
ROWS_AT_A_TIME = 256


def main(path: str) -> int:
    """Exit status 0 when every row was written, 1 with a reason on standard error."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from arro3.io import read_parquet, write_ndjson  # noqa: PLC0415 - after the limit of memory is set

    rows = read_parquet(path, batch_size=ROWS_AT_A_TIME)
    try:
        write_ndjson(rows, sys.stdout.buffer, explicit_nulls=True)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
