"""The page that compares jobs."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from lora_pipeline.web.requests import UserRequest
from training.charts.job_charts import switches_in
from training.jobs.pages.compare import (
    MOST_JOBS,
    columns_of,
    losses_of,
    overlaid,
    settings_rows,
)
from training.jobs.pages.views import is_uuid, own_jobs
from training.models import TrainingJob

OFFERED = 20


def compare(request: UserRequest) -> HttpResponse:
    """The selected jobs side by side; with fewer than two, a selection page."""
    asked = request.GET.getlist("job")
    jobs = _found(request, asked)
    switches = switches_in(request.GET)
    found = {"section": "jobs", "asked": asked, "jobs": jobs, "most": MOST_JOBS}
    if len(jobs) < 2 or len(jobs) > MOST_JOBS:
        offered = own_jobs(request)[:OFFERED]
        found |= {"offered": offered, "too_many": len(jobs) > MOST_JOBS}
        return render(request, "training/compare_choose.html", found)
    losses = losses_of(jobs)
    found |= {
        "missing": len(set(asked)) - len(jobs),
        "columns": columns_of(jobs, losses),
        "chart": overlaid(jobs, losses, switches),
        "rows": settings_rows(jobs),
        "switches": switches,
        "query": "&".join(f"job={job.pk}" for job in jobs),
    }
    return render(request, "training/compare.html", found)


def _found(request: UserRequest, asked: list[str]) -> list[TrainingJob]:
    """The user's own among the requested jobs, in the requested order."""
    ids = list(dict.fromkeys(UUID(text) for text in asked if is_uuid(text)))
    known = {job.pk: job for job in own_jobs(request).filter(pk__in=ids[:100])}
    return [known[pk] for pk in ids if pk in known]
