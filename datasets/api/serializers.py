"""Datasets as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from datasets.domain.lengths import MAX_LENGTH
from datasets.domain.split import (
    MAX_SEED,
    MAX_SHARE,
    SPLIT_SEED,
    SPLITS,
    VALIDATION_SHARE,
)
from datasets.models import Dataset, DatasetStatistics
from datasets.uploads import received_bytes


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset with its statistics and faults."""

    received_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        exclude = [
            "user",
            "storage_bucket",
            "storage_path",
            "validation_file_path",
            "label_starts",
            "deleted_at",
            "files_removed_at",
        ]

    def get_received_bytes(self, dataset: Dataset) -> int:
        """How much of the file has arrived: where an upload in pieces goes on."""
        return received_bytes(dataset)


class DatasetRowSerializer(DatasetSerializer):
    """A dataset in a list: without its faults and examples."""

    class Meta(DatasetSerializer.Meta):
        exclude = [
            *DatasetSerializer.Meta.exclude,
            "validation_errors",
            "validation_warnings",
            "sample_data",
        ]


def described(**options: Any) -> serializers.CharField:
    """Free text about a dataset."""
    return serializers.CharField(
        max_length=10_000, required=False, allow_blank=True, **options
    )


class SplitFields(serializers.Serializer[Dataset]):
    """How the examples are divided."""

    validation_share = serializers.FloatField(
        min_value=0,
        max_value=MAX_SHARE,
        required=False,
        help_text="Share of the conversations held out for validation.",
    )
    split_seed = serializers.IntegerField(
        min_value=0, max_value=MAX_SEED, required=False
    )


class UploadFields(SplitFields):
    """What may be said of a new dataset."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = described()
    validation_share = serializers.FloatField(
        min_value=0, max_value=MAX_SHARE, required=False, default=VALIDATION_SHARE
    )
    split_seed = serializers.IntegerField(
        min_value=0, max_value=MAX_SEED, required=False, default=SPLIT_SEED
    )


class DatasetUploadSerializer(UploadFields):
    """The multipart body of an upload."""

    file = serializers.FileField(
        max_length=255,
        allow_empty_file=True,
        help_text="JSON Lines, JSON, CSV or Parquet, also packed by gzip.",
    )
    validation_file = serializers.FileField(
        max_length=255,
        allow_empty_file=True,
        required=False,
        help_text="Held out instead of a share of the file, in the same format.",
    )


class DatasetBeginSerializer(UploadFields):
    """The JSON body that begins an upload in pieces."""

    file_name = serializers.CharField(max_length=255)
    file_size = serializers.IntegerField(min_value=1)


class VersionSerializer(SplitFields):
    """A later version: another file, or the same one split otherwise."""

    file = serializers.FileField(max_length=255, allow_empty_file=True, required=False)
    validation_file = serializers.FileField(
        max_length=255, allow_empty_file=True, required=False
    )


class DatasetEditSerializer(SplitFields):
    """What may be changed of a dataset; its split only while no job uses it."""

    name = serializers.CharField(max_length=200, required=False)
    description = described()


class StatisticsSerializer(serializers.ModelSerializer[DatasetStatistics]):
    """What a base model's tokenizer makes of the train split."""

    class Meta:
        model = DatasetStatistics
        exclude = ["id", "dataset", "first_learned", "last_end"]

    def to_representation(self, row: DatasetStatistics) -> dict[str, Any]:
        limit = self.context["max_length"]
        found, lengths = row.signal(limit), row.length_histogram
        return super().to_representation(row) | {
            "p50_tokens": lengths.quantile(0.5),
            "p95_tokens": lengths.quantile(0.95),
            "max_tokens": lengths.maximum,
            "signal": {
                "max_length": limit,
                "examples": found.examples,
                "without_label": found.without_label,
                "lost_end": found.lost_end,
                "cut": found.cut,
                "share_cut": found.cut / max(found.examples, 1),
                "trainable": found.trainable,
            },
        }


class AllStatisticsSerializer(serializers.Serializer[Any]):
    """Statistics by every base model that was measured."""

    statistics = StatisticsSerializer(many=True)


class MaxLengthQuery(serializers.Serializer[Any]):
    """The `max_length` to judge by."""

    max_length = serializers.IntegerField(
        min_value=int(MAX_LENGTH.minimum),
        max_value=int(MAX_LENGTH.maximum),
        default=int(MAX_LENGTH.default),
    )


class SplitQuery(serializers.Serializer[Any]):
    """Which side of the split."""

    split = serializers.ChoiceField(SPLITS, default="train")


class ExampleQuery(SplitQuery):
    """Which example, from 1 on."""

    example = serializers.IntegerField(min_value=1, max_value=10**12, default=1)


class PreflightQuery(MaxLengthQuery, ExampleQuery):
    """Which example to look at, by which base model."""

    base_model = serializers.CharField(max_length=200, default="")


class MeasureSerializer(serializers.Serializer[Any]):
    """The base model to measure with."""

    base_model = serializers.CharField(max_length=200)
