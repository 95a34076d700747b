"""The costs page, its CSV, and `/api/costs`."""

from decimal import Decimal

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lora_pipeline.accounts.quotas import quotas_of
from lora_pipeline.web.csv_export import csv_response
from training.costs.records import (
    COLUMNS,
    is_month,
    months_of,
    records_of,
    spend_of,
    table,
)

PAGE_SIZE = 20


def costs_page(request: HttpRequest) -> HttpResponse:
    """By month and by job; all months, or the one that was chosen."""
    months = months_of(request.user)  # type: ignore[arg-type]
    month = _month(request)
    records = records_of(request.user, month)  # type: ignore[arg-type]
    found = {
        "months": months,
        "most": max((m.total_usd for m in months), default=Decimal(0)),
        "month": month,
        "chosen": next((m for m in months if m.month == month), None),
        "page_obj": Paginator(records, PAGE_SIZE).get_page(request.GET.get("page")),
        "spend": spend_of(request.user),  # type: ignore[arg-type]
        "quotas": quotas_of(request.user),  # type: ignore[arg-type]
        "section": "costs",
    }
    return render(request, "costs/costs.html", found)


def costs_csv(request: HttpRequest) -> HttpResponse:
    """The same records as a table; all of them, or one month's."""
    month = _month(request)
    rows = table(records_of(request.user, month))  # type: ignore[arg-type]
    return csv_response(COLUMNS, rows, filename=f"costs-{month or 'all'}.csv")


def _month(request: HttpRequest) -> str:
    """The month in the address; one that is none counts as all of them."""
    month = request.GET.get("month", "")
    return month if is_month(month) else ""


# -- API -----------------------------------------------------------------------
