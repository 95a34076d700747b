"""Multi-process runs under torchrun: rank, locks and agreement."""

import ctypes
import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

RANK = int(os.environ.get("RANK", "0"))
WORLD_SIZE = int(os.environ.get("WORLD_SIZE", "1"))
READY = "data_ready"
LOCK_SECONDS = 5.0
_locks: list[int] = []


def enter(run_dir: Path) -> None:
    """Take this process's own lock, and exit when torchrun does.

    torchrun does not pass on the lock it was started with, so a process that outlives
    it would look dead. Exits if an older process still holds the lock.
    """
    if WORLD_SIZE == 1:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() == 1:
        sys.exit("torchrun has exited")
    lock = os.open(run_dir / f"lock.{RANK}", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(f"an older process holds the lock of rank {RANK}")
            time.sleep(0.05)
        else:
            _locks.append(lock)
            return


def note_process(run_dir: Path) -> None:
    """Write the pid to signal, and the process group to kill if that fails."""
    for name, number in (("pid", os.getpid()), ("group", os.getpgrp())):
        part = run_dir / f"{name}.part"
        part.write_text(str(number))
        part.rename(run_dir / name)


def data_is_ready(attempt_dir: Path, commit: str) -> None:
    """The data is there for all, and the base model's commit is settled."""
    part = attempt_dir / f"{READY}.part"
    part.write_text(commit)
    part.rename(attempt_dir / READY)


def wait_for_data(attempt_dir: Path) -> str:
    """Wait until the first process has downloaded the data for all; the commit of the
    base model that all are to load, empty for a folder.
    """
    while not (attempt_dir / READY).exists():
        time.sleep(0.05)
    return (attempt_dir / READY).read_text()


def require_world(expected: int) -> None:
    """Raises RuntimeError unless the process count is what the console expects."""
    if expected != WORLD_SIZE:
        raise RuntimeError(
            f"This run needs {expected} processes; WORLD_SIZE is {WORLD_SIZE}."
        )


def any_of(flag: bool, device: Any) -> bool:
    """Whether it is true in any process; all processes must call this together."""
    if WORLD_SIZE == 1:
        return flag
    import torch

    found = torch.tensor([int(flag)], device=device)
    torch.distributed.all_reduce(found, op=torch.distributed.ReduceOp.MAX)
    return bool(found.item())


def summed(values: Any) -> Any:
    """A tensor summed over all processes; all must call this together."""
    if WORLD_SIZE > 1:
        import torch

        torch.distributed.all_reduce(values)
    return values


def wait_for_all() -> None:
    """Wait until every process has reached this point."""
    if WORLD_SIZE > 1:
        import torch

        torch.distributed.barrier()


def adapter_hashes(model: Any) -> list[str]:
    """SHA-256 of the adapter's tensors in each process. Raises RuntimeError if unequal.

    Gradients are averaged over all processes, so their weights must be bit-identical; a
    difference means that the processes diverged.
    """
    from peft import get_peft_model_state_dict

    digest = hashlib.sha256()
    for name, tensor in sorted(get_peft_model_state_dict(model).items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    if WORLD_SIZE == 1:
        return [digest.hexdigest()]
    import torch

    found: list[Any] = [None] * WORLD_SIZE
    torch.distributed.all_gather_object(found, digest.hexdigest())
    if len(set(found)) > 1:
        raise RuntimeError(f"The processes diverged: {found}")
    return [str(value) for value in found]


def leave_word(attempt_dir: Path, kind: str, message: str, stack: str) -> None:
    """Write why this process failed, for the first one to report."""
    word = {"kind": kind, "message": message, "stack": stack}
    (attempt_dir / f"rank-{RANK}.failed.json").write_text(json.dumps(word))


def word_left(attempt_dir: Path, seconds: float = 2.0) -> dict[str, str] | None:
    """Why another process failed, if one did; that is the root cause, not our lost
    connection."""
    deadline = time.monotonic() + (seconds if WORLD_SIZE > 1 else 0.0)
    while True:
        for path in sorted(attempt_dir.glob("rank-*.failed.json")):
            found: dict[str, str] = json.loads(path.read_text())
            return found
        if time.monotonic() > deadline:
            return None
        time.sleep(0.1)
