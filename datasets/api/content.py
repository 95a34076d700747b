"""Dataset content in the API: files, examples, statistics, preflight."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api import docs
from datasets.api.serializers import (
    AllStatisticsSerializer,
    ExampleQuery,
    MappingQuery,
    MaxLengthQuery,
    MeasureSerializer,
    PreflightQuery,
    SplitQuery,
    StatisticsSerializer,
)
from datasets.checking.by_hand import preview
from datasets.domain.by_hand import PARTS
from datasets.downloads import normalised_file, original_file
from datasets.models import Dataset
from datasets.rows import line_at, require_rows, rows_from
from datasets.services import queue_measuring
from datasets.tokens.preflight import preflight
from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS
from lora_pipeline.api.pagination import page_and_limit, pagination_block

NO_EXAMPLE = "There is no example {example:,} in the {split} split."
PAGING = [OpenApiParameter("page", int), OpenApiParameter("limit", int)]


def query(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated query parameters. Raises ValidationError by field."""
    found = kind(data=request.query_params)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


class DatasetContent:
    """Actions on one dataset's content; the viewset checks ownership."""

    def find(self, pk: UUID) -> Dataset:
        raise NotImplementedError

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            409: docs.NO_FILE,
        }
    )
    @action(detail=True, methods=["get"])
    def original(self, request: Request, pk: UUID) -> FileResponse:
        """Download the file as uploaded."""
        return original_file(self.find(pk))

    @extend_schema(
        parameters=[SplitQuery],
        responses={
            (200, "application/jsonl"): OpenApiTypes.BINARY,
            409: docs.NOT_READY,
        },
    )
    @action(detail=True, methods=["get"])
    def normalised(self, request: Request, pk: UUID) -> FileResponse:
        """Download a split as the trainer reads it: JSON Lines of `messages`."""
        return normalised_file(self.find(pk), **query(SplitQuery, request))

    @extend_schema(
        parameters=[SplitQuery, *PAGING],
        responses={200: OpenApiTypes.OBJECT, 409: docs.NOT_READY},
    )
    @action(detail=True, methods=["get"])
    def examples(self, request: Request, pk: UUID) -> Response:
        """The normalised examples of a split, paginated.

        One of more than 64 KiB comes as its beginning, with `cut` saying how many bytes
        and messages it has; `example` answers it whole.
        """
        dataset, split = self.find(pk), query(SplitQuery, request)["split"]
        page, limit = page_and_limit(request)
        total = require_rows(dataset, split)
        rows = rows_from(dataset, split, (page - 1) * limit, limit)
        block = pagination_block(page, limit, total)
        return success({"examples": rows, "pagination": block})

    @extend_schema(parameters=[MappingQuery], responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["get"])
    def mapping(self, request: Request, pk: UUID) -> Response:
        """The file's columns with three rows, and its first example by a mapping.

        Keep a mapping by PATCH of the dataset.
        """
        asked = query(MappingQuery, request)
        found = preview(self.find(pk), asked.get("mapping"))
        return success({"parts": list(PARTS), **asdict(found)})

    @extend_schema(
        parameters=[ExampleQuery],
        responses={
            200: OpenApiTypes.OBJECT,
            404: FAULTS[404],
            409: docs.NOT_READY,
        },
    )
    @action(detail=True, methods=["get"])
    def example(self, request: Request, pk: Any) -> HttpResponse:
        """One normalised example, whole, however long it is."""
        dataset, asked = self.find(pk), query(ExampleQuery, request)
        require_rows(dataset, asked["split"])
        line = line_at(dataset, asked["split"], asked["example"] - 1)
        if line is None:
            raise NotFound(NO_EXAMPLE.format(**asked))
        # As it is stored: as objects it may be too large for a web process.
        body = b'{"success":true,"data":' + line.rstrip() + b"}"
        return HttpResponse(body, content_type="application/json")

    @extend_schema(
        parameters=[PreflightQuery],
        responses={200: OpenApiTypes.OBJECT, 409: docs.NOT_READY},
    )
    @action(detail=True, methods=["get"])
    def preflight(self, request: Request, pk: UUID) -> Response:
        """The exact token ids and labels of one example, as the trainer sees them."""
        dataset, asked = self.find(pk), query(PreflightQuery, request)
        asked["base_model"] = asked["base_model"] or settings.DEFAULT_BASE_MODEL
        require_rows(dataset, asked["split"])
        return success(preflight(dataset, **asked).as_dict())

    @extend_schema(
        methods=["get"],
        parameters=[MaxLengthQuery],
        responses=AllStatisticsSerializer,
    )
    @extend_schema(
        methods=["post"],
        operation_id="datasets_measure",
        request=MeasureSerializer,
        responses={202: MeasureSerializer, 409: docs.NOT_READY},
    )
    @action(detail=True, methods=["get", "post"])
    def statistics(self, request: Request, pk: UUID) -> Response:
        """Token statistics by base model; POST adds another base model."""
        dataset = self.find(pk)
        if request.method == "POST":
            body = MeasureSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            queue_measuring(dataset=dataset, **body.validated_data)
            return success(body.validated_data, status_code=202)
        context = query(MaxLengthQuery, request)
        rows = StatisticsSerializer(dataset.statistics, many=True, context=context)
        return success({"statistics": rows.data})
