"""The trainer program: its command, its environment, and running it to completion."""

import os
import subprocess
from collections.abc import Mapping

from django.conf import settings

from training.launchers.account import command_as, environment_as, started_as

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
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
)
# Keeps glibc from returning memory after every step: 2.5 to 3 times as fast on CPU.
KEEP_MEMORY = str(16 * 1024**3)
# How long torch's threads spin, in loop iterations, before they sleep (passive wait
# policy). Seconds a step at 64 tokens of SmolLM2-135M, two threads on two
# cores, passive -> 1 000 turns: alone 1.08 -> 0.82, beside a busy loop 1.31 -> 1.44,
# beside another trainer 1.9 -> 2.1. 5 000 turns take 0.72, 2.6 and 3.1.
SPIN_COUNT = "1000"


class TrainerMissing(RuntimeError):
    """The trainer is not installed; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"The trainer's Python {settings.TRAINER_PYTHON} is missing: run "
            "'make install-trainer', or set TRAINER_PYTHON."
        )


def python_command(*arguments: str) -> list[str]:
    """The trainer's Python in isolated mode: our app `datasets` shadows the library."""
    return [str(settings.TRAINER_PYTHON), "-I", "-u", *arguments]


def trainer_command(*arguments: str) -> list[str]:
    """Command line of the trainer program with a subcommand and options."""
    return python_command(str(settings.TRAINER_PROGRAM), *arguments)


def trainer_environment(processes: int = 1) -> dict[str, str]:
    """The environment of every trainer process: threads, wait policy, memory.

    Only the variables named here: no secret of the console reaches a trainer.
    """
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return (
        kept
        | environment_as()
        | {
            "MALLOC_MMAP_THRESHOLD_": KEEP_MEMORY,
            "MALLOC_TRIM_THRESHOLD_": KEEP_MEMORY,
            "OMP_NUM_THREADS": str(max(settings.TRAINER_THREADS // processes, 1)),
            "OMP_WAIT_POLICY": "PASSIVE",
            "GOMP_SPINCOUNT": SPIN_COUNT,
        }
    )


def hub_token() -> dict[str, str]:
    """The token for gated models, if an operator has set one."""
    return {"HF_TOKEN": settings.HF_TOKEN} if settings.HF_TOKEN else {}


def run(
    command: list[str],
    *,
    seconds: float | None = None,
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command with the trainer's Python to completion and capture its output.

    `extra` are additional variables. Raises TrainerMissing, and
    subprocess.TimeoutExpired after the timeout.
    """
    if not settings.TRAINER_PYTHON.is_file():
        raise TrainerMissing
    return subprocess.run(  # noqa: S603 - the trainer's Python, an operator's setting
        command_as(command),
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=settings.VAR_DIR,
        env=trainer_environment() | dict(extra or {}),
        **started_as(),
    )
