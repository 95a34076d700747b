"""Job statuses and the allowed transitions."""

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

# The database has the same table as a trigger (migration 0006); a test compares them.
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
    """The job cannot change from this status to that one."""

    def __init__(self, current: str, wanted: str) -> None:
        allowed = ", ".join(sorted(TRANSITIONS[current])) or "none, it has ended"
        super().__init__(
            f"A job that is {current} cannot become {wanted}; allowed: {allowed}."
        )


def check_transition(current: str, wanted: str) -> None:
    """Raises TransitionRefused unless allowed; staying in a status always is."""
    if current != wanted and wanted not in TRANSITIONS[current]:
        raise TransitionRefused(current, wanted)
