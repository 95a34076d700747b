"""`/api/costs`: costs of jobs and the remaining budget."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.rows import RowSerializer
from training.costs.records import (
    MonthCosts,
    Spend,
    is_month,
    months_of,
    records_of,
    spend_of,
)
from training.models import CostRecord

MOST_RECORDS = 1000


class Usd(serializers.DecimalField):
    """An amount as a JSON number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=16, decimal_places=4, **options)


class MonthSerializer(serializers.Serializer[MonthCosts]):
    """A calendar month."""

    month = serializers.RegexField(r"^\d{4}-\d{2}$")
    jobs = serializers.IntegerField()
    compute_usd = Usd()
    storage_usd = Usd()
    total_usd = Usd()
    estimated_usd = Usd()


class RecordSerializer(RowSerializer[CostRecord]):
    """Actual and estimated cost of one job."""

    job_id = serializers.UUIDField()
    job_name = serializers.CharField(source="job.name")
    status = serializers.CharField(source="job.status")
    estimated_usd = Usd(source="job.estimated_total_cost")

    class Meta:
        model = CostRecord
        fields = [
            "job_id",
            "job_name",
            "status",
            "running_seconds",
            "compute_usd",
            "storage_usd",
            "total_usd",
            "estimated_usd",
            "created_at",
        ]


class BudgetSerializer(serializers.Serializer[Any]):
    """A month's limit, spend, amount reserved for open jobs, and remainder."""

    limit_usd = Usd()
    spent_usd = Usd()
    held_usd = Usd()
    free_usd = Usd()


class SpendSerializer(serializers.Serializer[Spend]):
    """The current month; `budget` is null if there is no limit."""

    spent_usd = Usd()
    running_usd = Usd()
    budget = BudgetSerializer(allow_null=True)


class CostsSerializer(serializers.Serializer[Any]):
    """Months, the current month's spend, and the newest jobs in the period."""

    this_month = SpendSerializer()
    months = MonthSerializer(many=True)
    jobs = RecordSerializer(many=True)


MONTH_PARAMETER = OpenApiParameter(
    "month",
    {"type": "string", "pattern": r"^(19|20)\d{2}-(0[1-9]|1[0-2])$"},
    description="Only jobs that ended in this month, for example 2026-11.",
)


class CostsView(APIView):
    """Costs of jobs."""

    @extend_schema(
        parameters=[MONTH_PARAMETER],
        responses={200: CostsSerializer, 400: FAULTS[400]},
    )
    def get(self, request: ApiRequest) -> Response:
        """Get costs by month and by job, at most the newest 1000 jobs."""
        month = request.query_params.get("month", "")
        if "month" in request.query_params and not is_month(month):
            words = f"Received {month[:20]!r}; must be a month such as 2026-11."
            raise ValidationError({"month": [words]})
        user = request.user
        found = {
            "this_month": spend_of(user),
            "months": months_of(user),
            "jobs": records_of(user, month)[:MOST_RECORDS],
        }
        return success(CostsSerializer(found).data)
