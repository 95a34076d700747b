"""A pipe that tells a child when its parent is gone, however it ended."""

import os
import signal
import threading

VARIABLE = "LORA_PIPELINE_LIFELINE"


def watch() -> None:
    """Send SIGTERM to this process once the parent holding the pipe is gone."""
    descriptor = os.environ.pop(VARIABLE, "")
    if descriptor:
        threading.Thread(target=_wait, args=[int(descriptor)], daemon=True).start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
