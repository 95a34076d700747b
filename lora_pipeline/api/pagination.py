"""Pagination by `page` and `limit`, with validation."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_PAGE = 10**9


def paginate(request: Request, rows: QuerySet[Any]) -> tuple[list[Any], dict[str, int]]:
    """Returns the rows of the requested page and the pagination block.

    Raises ValidationError for anything but integers from 1, with limit up to 100.
    """
    page, limit = page_and_limit(request)
    total = rows.count()
    start = (page - 1) * limit
    found = list(rows[start : start + limit]) if start < total else []
    return found, pagination_block(page, limit, total)


def page_and_limit(request: Request) -> tuple[int, int]:
    """The requested page and limit. Raises ValidationError with all errors at once."""
    errors: dict[str, list[str]] = {}
    page = _number(request, "page", 1, MAX_PAGE, errors)
    limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT, errors)
    if errors:
        raise ValidationError(errors)
    return page, limit


def pagination_block(page: int, limit: int, total: int) -> dict[str, int]:
    """The pagination block of a list response."""
    pages = -(-total // limit)
    return {"page": page, "limit": limit, "total": total, "totalPages": pages}


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
    errors[name] = [f"Received {given[:50]!r}; must be an integer from 1 to {maximum}."]
    return default
