"""`/api/adapters`: what was trained, and its archive."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from lora_pipeline.envelope import success
from lora_pipeline.pagination import paginate
from training.models import Adapter


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    """An adapter's archive and its checksums."""

    class Meta:
        model = Adapter
        exclude = ["storage_path"]


def open_archive(adapter: Adapter) -> FileResponse:
    """The archive as a download that names its checksum."""
    response = FileResponse(
        default_storage.open(adapter.storage_path),
        as_attachment=True,
        filename=f"adapter-{adapter.job_id}.zip",
        content_type="application/zip",
    )
    response.headers["X-Content-SHA256"] = adapter.archive_sha256
    return response


class AdapterViewSet(GenericViewSet[Adapter]):
    """Adapters of the caller."""

    serializer_class = AdapterSerializer
    queryset = Adapter.objects.none()
    lookup_value_converter = "uuid"

    def list(self, request: Request) -> Response:
        """Newest first."""
        own = Adapter.objects.visible_to(request.user)  # type: ignore[arg-type]
        rows, block = paginate(request, own)
        found = AdapterSerializer(rows, many=True).data
        return success({"adapters": found, "pagination": block})

    def retrieve(self, request: Request, pk: Any) -> Response:
        """One adapter."""
        return success(AdapterSerializer(self._own(request, pk)).data)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True)
    def download(self, request: Request, pk: Any) -> FileResponse:
        """The archive: a PEFT folder as a zip."""
        return open_archive(self._own(request, pk))

    def _own(self, request: Request, pk: Any) -> Adapter:
        own = Adapter.objects.visible_to(request.user)  # type: ignore[arg-type]
        if (adapter := own.filter(pk=pk).first()) is None:
            raise NotFound("There is no such adapter among yours.")
        return adapter
