"""`/api/jobs/{id}/metrics`: a job's metrics, optionally thinned for charts."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS
from lora_pipeline.api.requests import ApiRequest
from training.charts.job_charts import COLUMNS, metric_rows
from training.jobs.access import own_job
from training.models import MetricPoint

FEWEST_POINTS, MOST_POINTS = 5, 100_000


class MetricSerializer(serializers.ModelSerializer[MetricPoint]):
    """Metrics of one optimizer step, or of the evaluation after it."""

    class Meta:
        model = MetricPoint
        fields = COLUMNS


class MetricsSerializer(serializers.Serializer[Any]):
    """Metrics by step in order; `total` counts all of them."""

    metrics = MetricSerializer(many=True)
    total = serializers.IntegerField()


POINTS = OpenApiParameter(
    "points",
    {"type": "integer", "minimum": FEWEST_POINTS, "maximum": MOST_POINTS},
    description="Maximum number of rows: the first, the last, and from each interval "
    "in between the lowest, highest and last loss. All rows if "
    "omitted.",
)


class MetricsView(APIView):
    """Metrics of a job."""

    @extend_schema(
        parameters=[POINTS], responses={200: MetricsSerializer, 400: FAULTS[400]}
    )
    def get(self, request: ApiRequest, job_id: UUID) -> Response:
        """Get a job's metrics, all or thinned.

        Also available as CSV at `/training/jobs/{id}/metrics.csv`.
        """
        job = own_job(request.user, job_id)
        rows = metric_rows(job, _points(request))
        return success({"metrics": rows, "total": job.metrics.count()})


def _points(request: ApiRequest) -> int | None:
    given = request.query_params.get("points")
    if given is None:
        return None
    usable = given.isascii() and given.isdigit() and len(given) < 9
    if usable and FEWEST_POINTS <= int(given) <= MOST_POINTS:
        return int(given)
    words = (
        f"Received {given[:50]!r}; must be an integer from {FEWEST_POINTS} to "
        f"{MOST_POINTS}."
    )
    raise ValidationError({"points": [words]})
