"""A pipe that tells a child its parent is gone, however the parent ended."""

import os
import signal
import threading

VARIABLE = "LORA_PIPELINE_LIFELINE"


def watch() -> None:
    """End this process by SIGTERM once the parent that gave it a lifeline is gone."""
    descriptor = os.environ.pop(VARIABLE, "")
    if descriptor:
        threading.Thread(target=_wait, args=[int(descriptor)], daemon=True).start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
