"""A separate program: writes a Parquet file's rows as JSON Lines to standard output.

A malicious file can crash a Parquet reader or make it allocate without bound. Here that
kills this process, which runs under a memory limit, and not the worker.
"""

import os
import resource
import sys

# Memory in bytes, and rows read at a time: a row may have 10 MB. The second is for what
# a web request waits for.
WHOLE = (3 * 1024**3, 256)
FIRST_LOOK = (192 * 1024**2, 8)


def main(path: str, memory_bytes: int, rows_at_a_time: int) -> int:
    """Exit status 0 when every row was written, 1 with a reason on standard error."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from arro3.io import read_parquet, write_ndjson  # noqa: PLC0415 - after the limit of memory is set

    rows = read_parquet(path, batch_size=rows_at_a_time)
    try:
        write_ndjson(rows, sys.stdout.buffer, explicit_nulls=True)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
