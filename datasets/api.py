"""`/api/datasets`: upload, list, read, edit, delete."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from datasets.models import Dataset
from datasets.serializers import (
    DatasetEditSerializer,
    DatasetSerializer,
    DatasetUploadSerializer,
)
from datasets.services import create_dataset, delete_dataset, edit_dataset
from lora_pipeline.envelope import success
from lora_pipeline.pagination import paginate
from training.validation import UNKNOWN_DATASET


def own_dataset(request: Request, dataset_id: Any) -> Dataset:
    """The caller's dataset; unknown, deleted and foreign ones are the same 404."""
    dataset = Dataset.objects.visible_to(request.user).find(dataset_id)  # type: ignore[arg-type]
    if dataset is None:
        raise NotFound(UNKNOWN_DATASET)
    return dataset


class DatasetViewSet(GenericViewSet[Dataset]):
    """Datasets of the caller."""

    serializer_class = DatasetSerializer
    queryset = Dataset.objects.none()
    lookup_value_converter = "uuid"

    def get_parsers(self) -> list[Any]:
        method = getattr(self.request, "method", "POST")
        return [MultiPartParser()] if method == "POST" else [JSONParser()]

    @extend_schema(request=DatasetUploadSerializer, responses={201: DatasetSerializer})
    def create(self, request: Request) -> Response:
        """Upload a JSON Lines file; it is checked in the background."""
        body = DatasetUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = create_dataset(owner=request.user, **body.validated_data)  # type: ignore[arg-type]
        return success(DatasetSerializer(dataset).data, status_code=201)

    def list(self, request: Request) -> Response:
        """Newest first."""
        own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
        rows, block = paginate(request, own)
        found = DatasetSerializer(rows, many=True).data
        return success({"datasets": found, "pagination": block})

    def retrieve(self, request: Request, pk: Any) -> Response:
        """One dataset with statistics and faults."""
        return success(DatasetSerializer(own_dataset(request, pk)).data)

    @extend_schema(request=DatasetEditSerializer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change name or description."""
        dataset = own_dataset(request, pk)
        body = DatasetEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        current = {"name": dataset.name, "description": dataset.description}
        edit_dataset(dataset=dataset, **(current | body.validated_data))
        return success(DatasetSerializer(dataset).data)

    def destroy(self, request: Request, pk: Any) -> Response:
        """Delete; jobs that used it are kept."""
        delete_dataset(dataset=own_dataset(request, pk))
        return success({"id": str(pk), "deleted": True})
