"""Serializers of datasets."""

import json
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from datasets.domain.by_hand import PARTS, find_problem
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
from lora_pipeline.api.fields import StrictSerializer
from lora_pipeline.api.rows import RowSerializer


class DatasetSerializer(RowSerializer[Dataset]):
    """A dataset with its statistics, errors and warnings."""

    user_id = serializers.UUIDField()
    received_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        exclude = [
            "user",
            "validation_file_path",
            "label_starts",
            "files_removed_at",
        ]

    def get_received_bytes(self, dataset: Dataset) -> int:
        """Progress of a chunked upload: the offset to resume from."""
        return received_bytes(dataset)


class DatasetRowSerializer(DatasetSerializer):
    """A dataset in a list, without errors, warnings and examples."""

    class Meta(DatasetSerializer.Meta):
        exclude = [
            *DatasetSerializer.Meta.exclude,
            "validation_errors",
            "validation_warnings",
            "sample_data",
        ]


def described(**options: Any) -> serializers.CharField:
    """Description of a dataset."""
    return serializers.CharField(
        max_length=10_000, required=False, allow_blank=True, **options
    )


class MappingField(serializers.JSONField):
    """Which column is what: an object from column to part, or its JSON text."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        value = super().to_internal_value(_from_text(data))
        if not isinstance(value, dict) or not all(
            isinstance(part, str) for part in value.values()
        ):
            words = f"Received {str(value)[:80]!r}; provide an object: column to part."
            raise serializers.ValidationError(words)
        if value and (problem := find_problem(value)):
            raise serializers.ValidationError(problem)
        return value


def _from_text(data: Any) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data or "{}")
    except ValueError:
        return data


class Flag(serializers.BooleanField):
    """True or false; left out of a form it is not given, as in JSON."""

    default_empty_html = empty


class ReadingFields(StrictSerializer):
    """How the rows of a file are read."""

    mapping = MappingField(
        required=False,
        help_text="Which column is what, where the format is not recognised: from the "
        f"column's name to one of {', '.join(PARTS)}. Empty: detect the format.",
    )
    chosen_only = Flag(
        required=False,
        help_text="Of preference data take the chosen or good answers only, to be "
        "trained on like any answer.",
    )
    skip_bad_rows = Flag(
        required=False,
        help_text="Take the dataset without its rows that have errors. `bad_rows` "
        "keeps their number.",
    )


class SplitFields(ReadingFields):
    """How examples are read, and split into train and validation."""

    validation_share = serializers.FloatField(
        min_value=0,
        max_value=MAX_SHARE,
        required=False,
        help_text="Share of conversations held out for validation.",
    )
    split_seed = serializers.IntegerField(
        min_value=0, max_value=MAX_SEED, required=False
    )


class UploadFields(SplitFields):
    """Fields of a new dataset."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = described()
    validation_share = serializers.FloatField(
        min_value=0, max_value=MAX_SHARE, required=False, default=VALIDATION_SHARE
    )
    split_seed = serializers.IntegerField(
        min_value=0, max_value=MAX_SEED, required=False, default=SPLIT_SEED
    )


class DatasetUploadSerializer(UploadFields):
    """Multipart body of an upload."""

    file = serializers.FileField(
        max_length=255,
        allow_empty_file=True,
        help_text="JSON Lines, JSON, CSV or Parquet, optionally gzipped.",
    )
    validation_file = serializers.FileField(
        max_length=255,
        allow_empty_file=True,
        required=False,
        help_text="Used for validation instead of a share of the file. Same format.",
    )


class DatasetBeginSerializer(UploadFields):
    """JSON body that starts a chunked upload."""

    file_name = serializers.CharField(max_length=255)
    file_size = serializers.IntegerField(min_value=1)


class VersionSerializer(SplitFields):
    """A new version: another file, or the same file with a different split."""

    file = serializers.FileField(max_length=255, allow_empty_file=True, required=False)
    validation_file = serializers.FileField(
        max_length=255, allow_empty_file=True, required=False
    )


class DatasetEditSerializer(SplitFields):
    """Editable fields of a dataset; the split only while no job uses it."""

    name = serializers.CharField(max_length=200, required=False)
    description = described()


class StatisticsSerializer(serializers.ModelSerializer[DatasetStatistics]):
    """Token statistics of the train split for one base model."""

    class Meta:
        model = DatasetStatistics
        exclude = ["id", "dataset", "first_learned", "last_end", "never_lengths"]

    def to_representation(self, row: DatasetStatistics) -> dict[str, Any]:
        limit = self.context["max_length"]
        found, lengths = row.signal(limit), row.length_histogram
        return super().to_representation(row) | {
            "p50_tokens": lengths.quantile(0.5),
            "p95_tokens": lengths.quantile(0.95),
            "max_tokens": lengths.maximum,
            "warnings": list(row.counts.said_at(limit)),
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
    """Token statistics for every base model measured so far."""

    statistics = StatisticsSerializer(many=True)


class MaxLengthQuery(serializers.Serializer[Any]):
    """The `max_length` to compute truncation for."""

    max_length = serializers.IntegerField(
        min_value=int(MAX_LENGTH.minimum),
        max_value=int(MAX_LENGTH.maximum),
        default=int(MAX_LENGTH.default),
    )


class SplitQuery(serializers.Serializer[Any]):
    """The split to read."""

    split = serializers.ChoiceField(SPLITS, default="train")


class MappingQuery(serializers.Serializer[Any]):
    """The mapping to preview; without one the dataset's own, else our guess."""

    mapping = MappingField(required=False)


class ExampleQuery(SplitQuery):
    """Which example, from 1 on."""

    example = serializers.IntegerField(min_value=1, max_value=10**12, default=1)


class PreflightQuery(MaxLengthQuery, ExampleQuery):
    """Which example to look at, by which base model."""

    base_model = serializers.CharField(max_length=200, default="")


class MeasureSerializer(StrictSerializer):
    """The base model whose tokenizer counts the tokens."""

    base_model = serializers.CharField(max_length=200)
