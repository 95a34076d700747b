"""`/api/gpus`, `/api/presets`, `/api/base-models`: the options of a job."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from training.catalogue.serializers import (
    BaseModelSerializer,
    GpuTypeSerializer,
    PresetSerializer,
)
from training.domain.presets import PRESETS
from training.models import BaseModel, GpuType


class GpuView(APIView):
    """The GPU catalogue."""

    @extend_schema(responses=GpuTypeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every GPU type: price, nominal speed, and whether a machine offers it."""
        rows = GpuType.objects.enabled().with_connection()
        return success({"gpus": GpuTypeSerializer(rows, many=True).data})


class PresetView(APIView):
    """The presets."""

    @extend_schema(responses=PresetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The presets of hyperparameters."""
        rows = [PresetSerializer(preset).data for preset in PRESETS.values()]
        return success({"presets": rows})


class BaseModelView(APIView):
    """The base models."""

    @extend_schema(responses=BaseModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every base model that a job can fine-tune."""
        rows = BaseModel.objects.enabled()
        return success({"base_models": BaseModelSerializer(rows, many=True).data})
