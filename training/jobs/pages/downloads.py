"""A job's measurements and log to take along."""

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify

from lora_pipeline.web.csv_export import csv_response
from lora_pipeline.web.requests import UserRequest
from training.charts.job_charts import COLUMNS, metric_rows, table
from training.jobs.access import own_job
from training.models import TrainingJob


def metrics_csv(request: UserRequest, job_id: UUID) -> HttpResponse:
    """All metrics as CSV."""
    job = own_job(request.user, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-metrics.csv"
    return csv_response(COLUMNS, table(job), filename=name)


def metrics_json(request: UserRequest, job_id: UUID) -> HttpResponse:
    """All metrics as JSON."""
    job = own_job(request.user, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-metrics.json"
    answer = JsonResponse({"job_id": str(job.pk), "metrics": metric_rows(job)})
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def log_text(request: UserRequest, job_id: UUID) -> HttpResponseBase:
    """The full log, one line per event."""
    job = own_job(request.user, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-log.txt"
    lines = list(_lines(job))
    answer = HttpResponse("".join(lines), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(job: TrainingJob) -> Iterator[str]:
    for event in job.events.order_by("id").iterator(chunk_size=1000):
        yield f"{event.at.isoformat()} {event.level} {event.message}\n"
