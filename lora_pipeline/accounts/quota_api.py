"""`/api/quotas`: the caller's limits, and what they use of them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.accounts.quotas import KINDS, Quota, quotas_of
from lora_pipeline.api.envelope import success


class QuotaSerializer(serializers.Serializer[Quota]):
    """One limit: bytes for storage, a number for the others."""

    kind = serializers.ChoiceField(sorted(KINDS))
    used = serializers.IntegerField()
    limit = serializers.IntegerField()
    free = serializers.IntegerField()


class QuotasSerializer(serializers.Serializer[Any]):
    """All limits of the caller."""

    quotas = QuotaSerializer(many=True)


class QuotasView(APIView):
    """What one user may have."""

    @extend_schema(responses=QuotasSerializer)
    def get(self, request: Request) -> Response:
        """Storage, queued jobs, API keys and webhooks: used, and allowed."""
        user: Any = request.user
        return success(QuotasSerializer({"quotas": quotas_of(user)}).data)
