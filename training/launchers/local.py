"""Trainers as processes of this machine; an flock on the run folder says alive."""

import contextlib
import fcntl
import os
import signal
import subprocess
from pathlib import Path
from uuid import UUID

from django.conf import settings

BACKEND = "local"
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "HF_HOME",
    "HF_ENDPOINT",
    "LD_LIBRARY_PATH",
    "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
)
# Keeps glibc from giving memory back after every step: 2.5 to 3 times as fast on CPU.
KEEP_MEMORY = str(16 * 1024**3)
LOG_TAIL_BYTES = 4000
_children: list[subprocess.Popen[bytes]] = []


class StillRunning(RuntimeError):
    """Another trainer holds the lock of this run folder."""


def run_dir(job_id: UUID) -> Path:
    """The folder of all attempts of a job."""
    return Path(settings.RUNS_DIR) / str(job_id)


def output_log(job_id: UUID, run_id: UUID) -> Path:
    """What an attempt's process printed."""
    return run_dir(job_id) / "attempts" / str(run_id) / "output.log"


def launch(*, job_id: UUID, run_id: UUID, token: str) -> None:
    """Start the trainer of an attempt. Raises StillRunning while an older one lives."""
    folder = run_dir(job_id)
    log = output_log(job_id, run_id)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_base_url(job_id)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(lock):
            raise StillRunning(f"the lock of {folder} is held")
        with log.open("ab") as output:
            child = subprocess.Popen(
                _command(folder, lock),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=_environment(run_id, token),
                pass_fds=[lock],
                start_new_session=True,
            )
        (folder / "pid").write_text(str(child.pid))
        _children.append(child)
    finally:
        os.close(lock)


def _command(folder: Path, lock: int) -> list[str]:
    trainer = [str(settings.TRAINER_PYTHON), "-I", "-u", str(settings.TRAINER_PROGRAM)]
    return [*trainer, "run", "--run-dir", str(folder), "--lock-fd", str(lock)]


def _environment(run_id: UUID, token: str) -> dict[str, str]:
    """Only what is named here: no secret of the console reaches a trainer."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    own = {
        "LORA_RUN_ID": str(run_id),
        "LORA_RUN_TOKEN": token,
        "MALLOC_MMAP_THRESHOLD_": KEEP_MEMORY,
        "MALLOC_TRIM_THRESHOLD_": KEEP_MEMORY,
        "OMP_NUM_THREADS": str(settings.TRAINER_THREADS),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    return kept | own | ({"HF_TOKEN": settings.HF_TOKEN} if settings.HF_TOKEN else {})


def is_alive(job_id: UUID) -> bool:
    """Whether a trainer holds the run folder; true for one that we did not start."""
    try:
        lock = os.open(run_dir(job_id) / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _taken(lock)
    finally:
        os.close(lock)


def stop(job_id: UUID, number: signal.Signals = signal.SIGTERM) -> None:
    """Signal the trainer that holds the run folder; the lock proves that it is ours."""
    if not is_alive(job_id):
        return
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.kill(int((run_dir(job_id) / "pid").read_text()), number)


def write_base_url(job_id: UUID) -> None:
    """Tell the trainer where the console is now; it looks again for every try."""
    try:
        current = Path(settings.BASE_URL_FILE).read_text().strip()
    except FileNotFoundError:
        current = settings.BASE_URL
    file = run_dir(job_id) / "base_url"
    if not file.is_file() or file.read_text() != current:
        part = file.with_suffix(".part")
        part.write_text(current)
        part.rename(file)


def log_tail(job_id: UUID, run_id: UUID) -> str:
    """The end of what an attempt printed."""
    try:
        with output_log(job_id, run_id).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - LOG_TAIL_BYTES, 0))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def reap() -> None:
    """Collect trainers of ours that have ended, so that none stays as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


def _taken(descriptor: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
