"""The costs page and its CSV."""

from decimal import Decimal

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from lora_pipeline.web.csv_export import csv_response
from lora_pipeline.web.requests import UserRequest
from training.costs.records import (
    COLUMNS,
    is_month,
    months_of,
    records_of,
    spend_of,
    table,
)

PAGE_SIZE = 20


def costs_page(request: UserRequest) -> HttpResponse:
    """Costs by month and by job, for all months or the selected one."""
    months = months_of(request.user)
    month = _month(request)
    records = records_of(request.user, month)
    found = {
        "months": months,
        "most": max((m.total_usd for m in months), default=Decimal(0)),
        "month": month,
        "chosen": next((m for m in months if m.month == month), None),
        "page_obj": Paginator(records, PAGE_SIZE).get_page(request.GET.get("page")),
        "spend": spend_of(request.user),
        "section": "costs",
    }
    return render(request, "costs/costs.html", found)


def costs_csv(request: UserRequest) -> HttpResponse:
    """The same records as CSV, for all months or one."""
    month = _month(request)
    rows = table(records_of(request.user, month))
    return csv_response(COLUMNS, rows, filename=f"costs-{month or 'all'}.csv")


def _month(request: UserRequest) -> str:
    """The month in the URL; an invalid one means all months."""
    month = request.GET.get("month", "")
    return month if is_month(month) else ""
