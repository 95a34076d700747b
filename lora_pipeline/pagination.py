"""Pages of a list: `page` and `limit`, refused when they make no sense."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_PAGE = 10**9


def paginate(request: Request, rows: QuerySet[Any]) -> tuple[list[Any], dict[str, int]]:
    """The rows of the asked page, and the pagination block.

    Raises ValidationError for anything but whole numbers from 1 on, limit up to 100.
    """
    errors: dict[str, list[str]] = {}
    page = _number(request, "page", 1, MAX_PAGE, errors)
    limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT, errors)
    if errors:
        raise ValidationError(errors)
    total = rows.count()
    start = (page - 1) * limit
    found = list(rows[start : start + limit]) if start < total else []
    block = {"page": page, "limit": limit, "total": total}
    return found, block | {"totalPages": -(-total // limit)}


def _number(
    request: Request,
    name: str,
    default: int,
    maximum: int,
    errors: dict[str, list[str]],
) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if given.isascii() and given.isdigit() and 1 <= int(given[:20]) <= maximum:
        return int(given)
    errors[name] = [
        f"Received {given[:50]!r}; give a whole number from 1 to {maximum}."
    ]
    return default
