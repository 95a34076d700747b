"""Admin bulk actions: apply a function to each selected row and report the result."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.text import slugify

from lora_pipeline.errors import Refusal

MOST_AT_ONCE = 500
NAMED = 5
Apply = Callable[[Any, str], object]
Action = Callable[[Any, HttpRequest, "QuerySet[Any]"], TemplateResponse | None]


def bulk_action(
    title: str, apply: Apply, *, permission: str, warning: str = ""
) -> Action:
    """An action that calls `apply(row, username)` for each selected row.

    Actions that destroy data or cost money have a `warning` and need confirmation.
    Refusals are reported by reason and do not stop the other rows.
    """

    @admin.action(description=title, permissions=[permission])
    def run(
        modeladmin: Any, request: HttpRequest, queryset: "QuerySet[Any]"
    ) -> TemplateResponse | None:
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            words = (
                f"{title}: more than {MOST_AT_ONCE} rows are selected. Select fewer."
            )
            messages.error(request, words)
            return None
        if warning and "confirmed" not in request.POST:
            return _confirmation(modeladmin, request, rows, title, warning)
        done, refused = _each(modeladmin, request, title, rows, apply)
        _tell(request, title, done, refused)
        return None

    run.__name__ = slugify(title).replace("-", "_")
    return run


def _each(
    modeladmin: Any, request: HttpRequest, title: str, rows: list[Any], apply: Apply
) -> tuple[int, dict[str, list[str]]]:
    """Number of rows done, and the names of the others by reason."""
    done, refused = 0, defaultdict(list)
    for row in rows:
        try:
            apply(row, request.user.get_username())
        except Refusal as refusal:
            refused[refusal.message].append(str(row))
        else:
            modeladmin.log_change(request, row, f"{title}.")
            done += 1
    return done, refused


def _tell(
    request: HttpRequest, title: str, done: int, refused: dict[str, list[str]]
) -> None:
    if done:
        messages.success(request, f"{title}: {done} done.")
    for reason, names in refused.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        which = f"{', '.join(names[:NAMED])}{more}"
        words = f"{title}: {len(names)} not done ({which}). {reason}"
        messages.error(request, words)


def _confirmation(
    modeladmin: Any, request: HttpRequest, rows: list[Any], title: str, warning: str
) -> TemplateResponse:
    """The confirmation page: what will happen, and to which rows."""
    shown = {
        **modeladmin.admin_site.each_context(request),
        "title": f"{title}?",
        "warning": warning,
        "rows": rows,
        "opts": modeladmin.opts,
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/confirm_action.html", shown)
