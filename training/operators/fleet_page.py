"""The fleet page for operators, in the admin."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from training.domain.estimator.calibration import COVERAGE
from training.operators import fleet as parts
from training.operators.overdue import overdue


@require_GET
@staff_member_required
@permission_required("training.view_fleet", raise_exception=True)
def fleet(request: HttpRequest) -> HttpResponse:
    """Machines, queue, runs, failures, coverage and spend, at a glance."""
    now = timezone.now()
    found = {
        **admin.site.each_context(request),
        "title": "Fleet",
        "offers": parts.machines(),
        "jobs": parts.open_jobs(),
        "overdue": overdue(now),
        "failures": parts.failures(now),
        "coverage": parts.coverage(),
        "promised": round(100 * COVERAGE),
        "spent": parts.spent(now),
        "month": now,
        "shown": parts.SHOWN,
    }
    return render(request, "admin/fleet.html", found)
