"""The states of a job and the ways between them."""

QUEUED = "queued"
INITIALIZING = "initializing"
RUNNING = "running"
PAUSED = "paused"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"

STATUSES = (QUEUED, INITIALIZING, RUNNING, PAUSED, COMPLETED, FAILED, CANCELLED)
FINAL = frozenset({COMPLETED, FAILED, CANCELLED})
ACTIVE = frozenset({INITIALIZING, RUNNING})
STAGES = (
    "queued",
    "preparing_data",
    "loading_model",
    "training",
    "evaluating",
    "saving",
    "completed",
)

PAUSE_REASONS = ("owner", "operator", "budget")

# The same table stands in the database as a trigger (migration 0006); a test compares.
TRANSITIONS: dict[str, frozenset[str]] = {
    QUEUED: frozenset({INITIALIZING, PAUSED, FAILED, CANCELLED}),
    INITIALIZING: frozenset({RUNNING, PAUSED, QUEUED, FAILED, CANCELLED}),
    RUNNING: frozenset({PAUSED, QUEUED, COMPLETED, FAILED, CANCELLED}),
    PAUSED: frozenset({RUNNING, QUEUED, FAILED, CANCELLED}),
    COMPLETED: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}


class TransitionRefused(ValueError):
    """A job cannot go from this state to that one."""

    def __init__(self, current: str, wanted: str) -> None:
        allowed = ", ".join(sorted(TRANSITIONS[current])) or "nothing, it has ended"
        super().__init__(
            f"A job that is {current} cannot become {wanted}; allowed: {allowed}."
        )


def check_transition(current: str, wanted: str) -> None:
    """Raises TransitionRefused unless the way exists; staying put is always allowed."""
    if current != wanted and wanted not in TRANSITIONS[current]:
        raise TransitionRefused(current, wanted)
