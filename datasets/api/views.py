"""`/api/datasets`: upload, list, read, edit, delete, versions."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from datasets.access import own_dataset, own_deleted_dataset
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
from datasets.models import Dataset, DatasetQuerySet
from datasets.services import (
    create_dataset,
    create_version,
    delete_dataset,
    edit,
    restore_dataset,
)
from datasets.uploads import append, begin_upload, read_range
from lora_pipeline.api.envelope import success
from lora_pipeline.api.parsers import JsonParser
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.viewsets import OwnViewSet

RANGE_HEADER = OpenApiParameter(
    name="Content-Range",
    location=OpenApiParameter.HEADER,
    required=True,
    description="`bytes START-END/TOTAL` at the current offset, or `bytes */TOTAL` "
    "without a body to query the current offset.",
)

DELETED = OpenApiParameter("deleted", bool, description="The deleted ones instead.")


@extend_schema_view(list=extend_schema(parameters=[DELETED]))
class DatasetViewSet(DatasetContent, OwnViewSet[Dataset]):
    """The caller's datasets."""

    serializer_class = DatasetSerializer
    queryset = Dataset.objects.none()
    list_serializer_class = DatasetRowSerializer
    filterset_class = DatasetFilter
    list_key = "datasets"
    list_words = "Newest first, with pages and filters"
    parser_classes = [JsonParser, MultiPartParser]

    def find(self, pk: UUID) -> Dataset:
        return own_dataset(self.request.user, pk)

    @extend_schema(
        request={
            "multipart/form-data": DatasetUploadSerializer,
            "application/json": DatasetBeginSerializer,
        },
        responses={201: DatasetSerializer},
    )
    def create(self, request: ApiRequest) -> Response:
        """Upload a whole file (multipart), or start a chunked upload (JSON)."""
        owner = request.user
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
            507: docs.DISK_FULL,
        },
    )
    @action(detail=True, methods=["put"])
    def content(self, request: ApiRequest, pk: UUID) -> Response:
        """Upload a chunk of the file; the last one starts validation."""
        dataset, raw = own_dataset(request.user, pk), request._request
        length = int(raw.META.get("CONTENT_LENGTH") or 0)
        header = request.headers.get("Content-Range", "")
        piece = read_range(header, length, dataset.file_size)
        append(dataset=dataset, piece=piece, stream=raw)  # type: ignore[arg-type]
        return success(DatasetSerializer(dataset).data)

    def own(self) -> DatasetQuerySet:
        user, rows = self.request.user, Dataset.objects
        deleted = self.request.query_params.get("deleted") == "true"
        return (rows.deleted_of(user) if deleted else rows.visible_to(user)).listed()

    def retrieve(self, request: ApiRequest, pk: UUID) -> Response:
        """One dataset with statistics and faults."""
        return success(DatasetSerializer(own_dataset(request.user, pk)).data)

    @extend_schema(
        request=DatasetEditSerializer,
        responses={200: DatasetSerializer, 409: docs.NOT_CHANGEABLE},
    )
    def partial_update(self, request: ApiRequest, pk: UUID) -> Response:
        """Change the name, description or, while no job uses it, the split."""
        dataset = own_dataset(request.user, pk)
        body = DatasetEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        edit(dataset, body.validated_data)
        return success(DatasetSerializer(own_dataset(request.user, pk)).data)

    def destroy(self, request: ApiRequest, pk: UUID) -> Response:
        """Delete a dataset. Jobs that used it are kept; `restore` undoes it."""
        delete_dataset(dataset=own_dataset(request.user, pk))
        return success({"id": str(pk), "deleted": True})

    @extend_schema(request=None, responses=DatasetSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: ApiRequest, pk: UUID) -> Response:
        """Restore a deleted dataset."""
        dataset = own_deleted_dataset(request.user, pk)
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
    def versions(self, request: ApiRequest, pk: UUID) -> Response:
        """Create a new version: another file, or the same file split differently."""
        dataset = own_dataset(request.user, pk)
        body = VersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        later = create_version(dataset=dataset, **body.validated_data)
        return success(DatasetSerializer(later).data, status_code=201)
