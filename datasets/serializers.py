"""Datasets as the API shows and takes them."""

from rest_framework import serializers

from datasets.models import Dataset


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset with its statistics and faults."""

    class Meta:
        model = Dataset
        exclude = ["user", "storage_bucket", "storage_path", "deleted_at"]


class DatasetUploadSerializer(serializers.Serializer[Dataset]):
    """The multipart body of an upload."""

    file = serializers.FileField(
        max_length=255, allow_empty_file=True, help_text="JSON Lines with `messages`."
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = serializers.CharField(
        max_length=10_000, required=False, allow_blank=True
    )


class DatasetEditSerializer(serializers.Serializer[Dataset]):
    """What may be changed of a dataset."""

    name = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(
        max_length=10_000, required=False, allow_blank=True
    )
