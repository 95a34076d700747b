"""Serializers of the catalogue."""

from rest_framework import serializers

from lora_pipeline.api.fields import Facts
from lora_pipeline.api.rows import RowSerializer
from training.domain.presets import DEFAULT_PRESET, Preset
from training.models import BaseModel, GpuType


class GpuTypeSerializer(RowSerializer[GpuType]):
    """A GPU type; `connected` says whether a machine offers it now."""

    peak_tflops = Facts()
    connected = serializers.BooleanField()

    class Meta:
        model = GpuType
        exclude = ["enabled", "suggested_usd_per_hour", "suggestion_note"]


class BaseModelSerializer(RowSerializer[BaseModel]):
    """A base model that jobs can fine-tune."""

    dimensions = Facts()
    is_here = serializers.BooleanField()

    class Meta:
        model = BaseModel
        fields = [
            "id",
            "name",
            "source",
            "revision",
            "parameters",
            "note",
            "is_here",
            "dimensions",
            "dimensions_source",
        ]


class PresetSerializer(serializers.Serializer[Preset]):
    """A preset: its hyperparameters and use case."""

    id = serializers.CharField()
    title = serializers.CharField()
    icon = serializers.CharField()
    use_case = serializers.CharField()
    is_default = serializers.SerializerMethodField()
    hyperparameters = serializers.SerializerMethodField()

    def get_is_default(self, preset: Preset) -> bool:
        return preset is DEFAULT_PRESET

    def get_hyperparameters(self, preset: Preset) -> dict[str, float]:
        return preset.values()
