"""How a run ends that was told to end."""


class Stopped(Exception):
    """The run ended before its last step, since it was told to."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step
