"""Template context of the page frame."""

from typing import Any

from django.http import HttpRequest

STYLESHEETS = tuple(
    f"css/{name}.css"
    for name in (
        "tokens",
        "base",
        "frame",
        "buttons",
        "forms",
        "panels",
        "tables",
        "badges",
        "toasts",
        "lists",
    )
)


def console(request: HttpRequest) -> dict[str, Any]:
    """The component stylesheets."""
    return {"stylesheets": STYLESHEETS}
