"""Trainers as local processes; an flock on the run folder means alive."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from training.launchers.account import (
    command_as,
    hand_over,
    may_signal,
    started_as,
)
from training.launchers.own_console import console_url
from training.launchers.plain_files import open_below
from training.launchers.program import (
    hub_token,
    python_command,
    trainer_command,
    trainer_environment,
)

BACKEND = "local"
CHECKPOINT_NAME = re.compile(r"checkpoint-\d+", re.ASCII)


LOG_TAIL_BYTES = 4000
MOST_NOTED_BYTES = 2000
LOCK_SECONDS = 0.5
_children: list[subprocess.Popen[bytes]] = []


class StillRunning(RuntimeError):
    """Another trainer holds this run folder's lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Parameters for starting a trainer."""

    job_id: UUID
    run_id: UUID
    token: str
    processes: int = 1
    visible_devices: str = ""


def run_dir(job_id: UUID) -> Path:
    """The folder of all attempts of a job."""
    return Path(settings.RUNS_DIR) / str(job_id)


def known_run_dirs() -> list[UUID]:
    """The jobs that have a run folder here."""
    found = []
    for folder in Path(settings.RUNS_DIR).iterdir():
        with contextlib.suppress(ValueError):
            found.append(UUID(folder.name))
    return found


def attempt_dir(job_id: UUID, run_id: UUID) -> Path:
    """The folder of a single attempt."""
    return run_dir(job_id) / "attempts" / str(run_id)


def output_log(job_id: UUID, run_id: UUID) -> Path:
    """The output file of an attempt's process."""
    return attempt_dir(job_id, run_id) / "output.log"


def launch(what: Launch) -> None:
    """Start an attempt's trainer. Raises StillRunning while an older one is alive."""
    folder = run_dir(what.job_id)
    attempt_dir(what.job_id, what.run_id).mkdir(parents=True, exist_ok=True)
    write_base_url(what.job_id)
    lock = open_below(folder, "lock", os.O_RDWR | os.O_CREAT)
    try:
        if not _taken_within(lock, LOCK_SECONDS) or _ranks_alive(folder):
            raise StillRunning(f"the lock of {folder} is held")
        for name in ("pid", "group"):
            (folder / name).unlink(missing_ok=True)
        with os.fdopen(_log_to_write(what), "ab") as output:
            hand_over(folder)
            child = subprocess.Popen(  # noqa: S603 - a list without a shell; ids and numbers of ours
                command_as(_command(what, folder, lock)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=_environment(what),
                pass_fds=[lock],
                start_new_session=True,
                **started_as(),
            )
        _children.append(child)
        for name in ("pid", "group"):
            _note(folder / name, str(child.pid))
    finally:
        os.close(lock)


def _log_to_write(what: Launch) -> int:
    path = output_log(what.job_id, what.run_id)
    name = str(path.relative_to(run_dir(what.job_id)))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return open_below(run_dir(what.job_id), name, flags)


def _note(path: Path, text: str) -> None:
    """Write unless the trainer, which knows better, was faster; it reports a full disk
    itself.
    """
    with contextlib.suppress(FileExistsError, OSError), path.open("x") as file:
        file.write(text)


def _command(what: Launch, folder: Path, lock: int) -> list[str]:
    """One process, or torchrun with several; isolated either way."""
    program = trainer_command("run", "--run-dir", str(folder))
    if what.processes == 1:
        return [*program, "--lock-fd", str(lock)]
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--no-python")
    count = f"--nproc-per-node={what.processes}"
    return [*python_command(*torchrun, count), *program]


def _environment(what: Launch) -> dict[str, str]:
    """Only the variables named here: no secret of the console reaches a trainer."""
    own = {
        "LORA_RUN_ID": str(what.run_id),
        "LORA_RUN_TOKEN": what.token,
        "CUDA_VISIBLE_DEVICES": what.visible_devices,
    }
    return trainer_environment(what.processes) | own | hub_token()


def is_alive(job_id: UUID) -> bool:
    """Whether a trainer holds the run folder, even one we did not start."""
    folder = run_dir(job_id)
    return _is_held(folder / "lock") or _ranks_alive(folder)


def _ranks_alive(folder: Path) -> bool:
    """Under torchrun, every process also holds its own lock."""
    return any(_is_held(path) for path in folder.glob("lock.*"))


def _is_held(path: Path) -> bool:
    """Checks with a shared lock, so that concurrent checks do not block each other."""
    try:
        lock = open_below(path.parent, path.name, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def stop(job_id: UUID) -> None:
    """Ask the trainer to save and exit; one that has just started is asked later."""
    if is_alive(job_id):
        with contextlib.suppress(OSError, ValueError):
            if may_signal(pid := int(_noted(job_id, "pid"))):
                os.kill(pid, signal.SIGTERM)


def kill(job_id: UUID) -> None:
    """Kill a run's whole process group; the lock proves that it is ours."""
    if is_alive(job_id):
        with contextlib.suppress(OSError, ValueError):
            if may_signal(group := int(_noted(job_id, "group"))):
                os.killpg(group, signal.SIGKILL)


def _noted(job_id: UUID, name: str) -> bytes:
    """Raises OSError where there is no such file."""
    with os.fdopen(open_below(run_dir(job_id), name), "rb") as file:
        return file.read(MOST_NOTED_BYTES)


def last_beat(job_id: UUID, run_id: UUID) -> datetime | None:
    """Time of the trainer's last local heartbeat, even if it cannot reach us."""
    try:
        seconds = (attempt_dir(job_id, run_id) / "heartbeat").stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def last_beat_reading(job_id: UUID, run_id: UUID) -> tuple[str, float] | None:
    """That heartbeat by the machine's own clock: its boot id, and seconds since."""
    name = f"attempts/{run_id}/heartbeat"
    try:
        boot, at = _noted(job_id, name).decode().split()
        return boot, float(at)
    except (OSError, ValueError):
        return None


def bring_checkpoint(from_job: UUID, to_job: UUID, name: str) -> None:
    """Copy a checkpoint into the run folder of the job that continues from it.

    Raises FileNotFoundError if it is gone, OSError if the disk is full.
    """
    if not CHECKPOINT_NAME.fullmatch(name):
        raise FileNotFoundError(f"{name!r} is not a checkpoint name")
    source = run_dir(from_job) / "checkpoints" / name
    target = run_dir(to_job) / "checkpoints" / name
    if target.is_dir():
        return
    part = target.with_name(f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, symlinks=True)
    part.rename(target)


def remove_checkpoint(job_id: UUID, name: str) -> None:
    """Delete a checkpoint's folder. Raises ValueError for any other name."""
    if not CHECKPOINT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a checkpoint name")
    shutil.rmtree(run_dir(job_id) / "checkpoints" / name, ignore_errors=True)


def remove_run_dir(job_id: UUID) -> None:
    """Delete the folders of all attempts of a job."""
    shutil.rmtree(run_dir(job_id), ignore_errors=True)


def write_base_url(job_id: UUID) -> None:
    """Write the console's URL for the trainer, which rereads it on every retry."""
    current = console_url()
    file = run_dir(job_id) / "base_url"
    if not file.is_file() or _noted(job_id, file.name) != current.encode():
        part = file.with_suffix(".part")
        part.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(open_below(part.parent, part.name, flags), "w") as written:
            written.write(current)
        hand_over(part)
        part.rename(file)


def log_tail(job_id: UUID, run_id: UUID) -> str:
    """The end of what an attempt printed."""
    folder, log = run_dir(job_id), output_log(job_id, run_id)
    try:
        descriptor = open_below(folder, str(log.relative_to(folder)))
        with os.fdopen(descriptor, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - LOG_TAIL_BYTES, 0))
            return file.read().decode(errors="replace").replace("\0", "")
    except OSError:
        return ""


def reap() -> None:
    """Reap exited trainers, so that none stays a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


def visible_devices(devices: Sequence[str]) -> str:
    """CUDA_VISIBLE_DEVICES of an assignment; empty hides every GPU from a CPU run."""
    return ",".join(device for device in devices if not device.startswith("cpu-"))


def _taken_within(descriptor: int, seconds: float) -> bool:
    """Take the lock if it is free; waits for those who only check it."""
    deadline = time.monotonic() + seconds
    while not _taken(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
