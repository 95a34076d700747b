"""A job's measurements and log to take along: pages and API."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.envelope import success
from lora_pipeline.faults import FAULTS
from lora_pipeline.tables import csv_response
from training import api, views
from training.models import MetricPoint, TrainingJob
from training.monitoring import COLUMNS, metric_rows, table

FEWEST_POINTS, MOST_POINTS = 5, 100_000


def metrics_csv(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Every measured step as a table."""
    job = views.own_job(request, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-metrics.csv"
    return csv_response(COLUMNS, table(job), filename=name)


def metrics_json(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Every measured step as JSON."""
    job = views.own_job(request, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-metrics.json"
    answer = JsonResponse({"job_id": str(job.pk), "metrics": metric_rows(job)})
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def log_text(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The whole log, one line an event."""
    job = views.own_job(request, job_id)
    name = f"{slugify(job.name)[:80] or 'job'}-log.txt"
    lines = list(_lines(job))
    answer = HttpResponse("".join(lines), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(job: TrainingJob) -> Iterator[str]:
    for event in job.events.order_by("id").iterator(chunk_size=1000):
        yield f"{event.at.isoformat()} {event.level} {event.message}\n"


# -- API -----------------------------------------------------------------------


class MetricSerializer(serializers.ModelSerializer[MetricPoint]):
    """What one optimizer step, or the evaluation after it, measured."""

    class Meta:
        model = MetricPoint
        fields = COLUMNS


class MetricsSerializer(serializers.Serializer[Any]):
    """The measured steps in order; `total` counts all that there are."""

    metrics = MetricSerializer(many=True)
    total = serializers.IntegerField()


POINTS = OpenApiParameter(
    "points",
    {"type": "integer", "minimum": FEWEST_POINTS, "maximum": MOST_POINTS},
    description="At most so many rows: the first, the last, and of each stretch "
    "between the lowest loss, the highest and the last. All of them where it is "
    "left out.",
)


class MetricsView(APIView):
    """What a job measured."""

    @extend_schema(
        parameters=[POINTS], responses={200: MetricsSerializer, 400: FAULTS[400]}
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        """The measured steps, all or thinned.

        As a table they are at `/training/jobs/{id}/metrics.csv`.
        """
        job = api.own_job(request, job_id)
        rows = metric_rows(job, _points(request))
        return success({"metrics": rows, "total": job.metrics.count()})


def _points(request: Request) -> int | None:
    given = request.query_params.get("points")
    if given is None:
        return None
    usable = given.isascii() and given.isdigit() and len(given) < 9
    if usable and FEWEST_POINTS <= int(given) <= MOST_POINTS:
        return int(given)
    words = (
        f"Received {given[:50]!r}; give a whole number from {FEWEST_POINTS} to "
        f"{MOST_POINTS}."
    )
    raise ValidationError({"points": [words]})
