"""`/api/datasets`: upload, list, read, edit, delete, versions."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from datasets.access import UNKNOWN_DATASET, own_dataset
from datasets.api import docs
from datasets.api.content import DatasetContent
from datasets.api.serializers import (
    DatasetBeginSerializer,
    DatasetEditSerializer,
    DatasetRowSerializer,
    DatasetSerializer,
    DatasetUploadSerializer,
    VersionSerializer,
)
from datasets.filters import DatasetFilter
from datasets.models import Dataset
from datasets.services import (
    create_dataset,
    create_version,
    delete_dataset,
    edit,
    restore_dataset,
)
from datasets.uploads import append, begin_upload, read_range
from lora_pipeline.api.envelope import success
from lora_pipeline.api.pagination import paginate
from lora_pipeline.api.parsers import JsonParser

RANGE_HEADER = OpenApiParameter(
    name="Content-Range",
    location=OpenApiParameter.HEADER,
    required=True,
    description="`bytes START-END/TOTAL` at the current offset, or `bytes */TOTAL` "
    "without a body to ask where it stands.",
)


class DatasetViewSet(DatasetContent, GenericViewSet[Dataset]):
    """Datasets of the caller."""

    serializer_class = DatasetSerializer
    queryset = Dataset.objects.none()
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = DatasetFilter
    parser_classes = [JsonParser, MultiPartParser]
    lookup_value_converter = "uuid"

    def find(self, pk: Any) -> Dataset:
        return own_dataset(self.request, pk)

    @extend_schema(
        request={
            "multipart/form-data": DatasetUploadSerializer,
            "application/json": DatasetBeginSerializer,
        },
        responses={201: DatasetSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload a file whole (multipart), or begin one that comes in pieces (JSON)."""
        owner: Any = request.user
        if (request.content_type or "").startswith("multipart/"):
            body = DatasetUploadSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            dataset = create_dataset(owner=owner, **body.validated_data)
        else:
            begin = DatasetBeginSerializer(data=request.data)
            begin.is_valid(raise_exception=True)
            dataset = begin_upload(owner=owner, **begin.validated_data)
        return success(DatasetSerializer(dataset).data, status_code=201)

    @extend_schema(
        request=OpenApiTypes.BINARY,
        parameters=[RANGE_HEADER],
        responses={
            200: DatasetSerializer,
            400: docs.BAD_PIECE,
            409: docs.WRONG_OFFSET,
        },
    )
    @action(detail=True, methods=["put"])
    def content(self, request: Request, pk: Any) -> Response:
        """Take a piece of the file; the last one starts the check."""
        dataset, raw = own_dataset(request, pk), request._request
        length = int(raw.META.get("CONTENT_LENGTH") or 0)
        header = request.headers.get("Content-Range", "")
        piece = read_range(header, length, dataset.file_size)
        append(dataset=dataset, piece=piece, stream=raw)  # type: ignore[arg-type]
        return success(DatasetSerializer(dataset).data)

    @extend_schema(
        responses=DatasetRowSerializer(many=True),
        parameters=[
            OpenApiParameter("deleted", bool, description="The deleted ones instead.")
        ],
    )
    def list(self, request: Request) -> Response:
        """Newest first, with pages and filters."""
        owner: Any = request.user
        deleted = request.query_params.get("deleted") == "true"
        all_rows = Dataset.objects
        own = all_rows.deleted_of(owner) if deleted else all_rows.visible_to(owner)
        found = DatasetFilter(request.query_params, queryset=own.listed())
        if not found.is_valid():
            raise ValidationError(found.errors)
        rows, block = paginate(request, found.qs)
        shown = DatasetRowSerializer(rows, many=True).data
        return success({"datasets": shown, "pagination": block})

    def retrieve(self, request: Request, pk: Any) -> Response:
        """One dataset with statistics and faults."""
        return success(DatasetSerializer(own_dataset(request, pk)).data)

    @extend_schema(
        request=DatasetEditSerializer,
        responses={200: DatasetSerializer, 409: docs.NOT_CHANGEABLE},
    )
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change name, description, or, while no job uses it, the split."""
        dataset = own_dataset(request, pk)
        body = DatasetEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        edit(dataset, body.validated_data)
        return success(DatasetSerializer(own_dataset(request, pk)).data)

    def destroy(self, request: Request, pk: Any) -> Response:
        """Delete; jobs that used it are kept, and `restore` brings it back."""
        delete_dataset(dataset=own_dataset(request, pk))
        return success({"id": str(pk), "deleted": True})

    @extend_schema(request=None, responses=DatasetSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: Any) -> Response:
        """Bring a deleted dataset back."""
        owner: Any = request.user
        dataset = Dataset.objects.deleted_of(owner).find(pk)
        if dataset is None:
            raise NotFound(UNKNOWN_DATASET)
        restore_dataset(dataset=dataset)
        return success(DatasetSerializer(dataset).data)

    @extend_schema(
        request={
            "multipart/form-data": VersionSerializer,
            "application/json": VersionSerializer,
        },
        responses={201: DatasetSerializer, 409: docs.NOT_CHANGEABLE},
    )
    @action(detail=True, methods=["post"])
    def versions(self, request: Request, pk: Any) -> Response:
        """Make a later version: another file, or the same one split otherwise."""
        dataset = own_dataset(request, pk)
        body = VersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        later = create_version(dataset=dataset, **body.validated_data)
        return success(DatasetSerializer(later).data, status_code=201)
