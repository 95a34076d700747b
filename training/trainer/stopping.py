"""Why a run stops before its last step."""


class Stopped(Exception):
    """The run stopped before its last step, on request."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step


class CannotPack(Exception):
    """The model lets one packed sequence see another, or cannot be packed at all."""
