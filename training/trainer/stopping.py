"""Stopping a run on request."""


class Stopped(Exception):
    """The run stopped before its last step, on request."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step
