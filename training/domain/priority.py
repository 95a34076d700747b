"""How urgent a job is: high starts before normal, normal before low."""

LOW, NORMAL, HIGH = 1, 2, 3
PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}
USERS_PRIORITIES = ("low", "normal")
"""`high` is an operator's to give: it goes before everybody else's."""


def priority_name(priority: int) -> str:
    """The word for a stored priority."""
    return next(name for name, value in PRIORITIES.items() if value == priority)
