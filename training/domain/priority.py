"""Job priorities: high starts before normal, normal before low."""

LOW, NORMAL, HIGH = 1, 2, 3
PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}
USERS_PRIORITIES = ("low", "normal")
"""Only operators can set `high`: it goes before everyone else's jobs."""


def priority_name(priority: int) -> str:
    """The name of a stored priority."""
    return next(name for name, value in PRIORITIES.items() if value == priority)
