"""CSV downloads."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from django.http import HttpResponse

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, filename: str
) -> HttpResponse:
    """A CSV download with a header row, as in RFC 4180."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def harmless(cell: object) -> object:
    """Prefixes text that a spreadsheet would run as a formula with an apostrophe."""
    if isinstance(cell, str) and cell.startswith(STARTS_A_FORMULA):
        return f"'{cell}"
    return cell
