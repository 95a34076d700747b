"""Pagination by `page` and `limit`, with validation."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from lora_pipeline.api.envelope import success

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_PAGE = 10**9


class Pages(BasePagination):
    """A page of rows under the view's `list_key`, the pagination block beside it."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        """The rows of the asked page; none past the end."""
        page, limit = page_and_limit(request)
        total = queryset.count()
        start = (page - 1) * limit
        self.key: str = view.list_key
        self.block = pagination_block(page, limit, total)
        return list(queryset[start : start + limit]) if start < total else []

    def get_paginated_response(self, data: Any) -> Response:
        return success({self.key: data, "pagination": self.block})


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
