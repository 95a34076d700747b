"""How urgent a job is: high starts before normal, normal before low."""

LOW, NORMAL, HIGH = 1, 2, 3
PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}


def priority_name(priority: int) -> str:
    """The word for a stored priority."""
    return next(name for name, value in PRIORITIES.items() if value == priority)
