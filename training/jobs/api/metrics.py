"""A job's measured points by the API, thinned to what a chart can show."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS
from training.charts.job_charts import COLUMNS, metric_rows
from training.jobs.api import views as api
from training.models import MetricPoint

FEWEST_POINTS, MOST_POINTS = 5, 100_000


class MetricSerializer(serializers.ModelSerializer[MetricPoint]):
    """What one optimizer step, or the evaluation after it, measured."""

    not_finite = serializers.DictField(
        child=serializers.CharField(),
        help_text="What was measured and is no number: null above, here as NaN, "
        "Infinity or -Infinity.",
    )

    class Meta:
        model = MetricPoint
        fields = [*COLUMNS, "not_finite"]


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
