"""`/api/adapters`: adapters, their archives, merged models and answers."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS, Fault
from lora_pipeline.api.fields import StrictSerializer
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.rows import RowSerializer
from lora_pipeline.api.viewsets import OwnViewSet
from lora_pipeline.files import downloads
from training.adapters import services as adapters
from training.adapters.access import own_adapter
from training.adapters.page import archive_of, merged_archive_of, snippets
from training.models import Adapter, AdapterExport, AdapterQuestion, Work
from training.models.results import AdapterQuerySet

ARCHIVE = {
    (200, "application/zip"): OpenApiTypes.BINARY,
    (206, "application/zip"): OpenApiTypes.BINARY,
    304: OpenApiResponse(None, description="Not modified (If-None-Match)."),
    416: OpenApiResponse(
        None, description="The range starts past the end of the file."
    ),
}


class AdapterSerializer(RowSerializer[Adapter]):
    """An adapter: name, version, lineage and archive."""

    class Meta:
        model = Adapter
        exclude = ["storage_path", "user", "deleted_at"]


class AdapterDetailSerializer(AdapterSerializer):
    """An adapter with code to load it."""

    snippets = serializers.SerializerMethodField()

    def get_snippets(self, adapter: Adapter) -> dict[str, str]:
        return snippets(adapter)


class AdapterEditSerializer(StrictSerializer):
    """Editable fields of an adapter."""

    name = serializers.CharField(max_length=200)


class ExportSerializer(RowSerializer[AdapterExport]):
    """Progress of a merged export, and its checksum once done."""

    class Meta:
        model = AdapterExport
        exclude = ["storage_path"]


class QuestionRequest(StrictSerializer):
    """A question for the base model and the adapter."""

    question = serializers.CharField(max_length=adapters.LONGEST_QUESTION)
    system = serializers.CharField(
        max_length=adapters.LONGEST_SYSTEM, required=False, allow_blank=True
    )
    max_new_tokens = serializers.IntegerField(
        min_value=1, max_value=adapters.MOST_NEW_TOKENS, required=False
    )


class QuestionSerializer(RowSerializer[AdapterQuestion]):
    """A question and both answers, each null until it is ready."""

    class Meta:
        model = AdapterQuestion
        fields = "__all__"


class QuestionsSerializer(serializers.Serializer[Any]):
    """Questions to an adapter, newest first, at most 100."""

    questions = QuestionSerializer(many=True)


class AdapterViewSet(OwnViewSet[Adapter]):
    """The caller's adapters."""

    serializer_class = AdapterSerializer
    queryset = Adapter.objects.none()
    list_key = "adapters"
    list_words = "Newest first"

    def own(self) -> AdapterQuerySet:
        return Adapter.objects.visible_to(self.request.user)

    @extend_schema(responses=AdapterDetailSerializer)
    def retrieve(self, request: ApiRequest, pk: UUID) -> Response:
        """Get one adapter, with code to load it."""
        return success(AdapterDetailSerializer(own_adapter(request.user, pk)).data)

    @extend_schema(request=AdapterEditSerializer)
    def partial_update(self, request: ApiRequest, pk: UUID) -> Response:
        """Rename an adapter; under the new name it gets the next version."""
        adapter = own_adapter(request.user, pk)
        body = AdapterEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        adapters.rename_adapter(adapter=adapter, **body.validated_data)
        return success(AdapterSerializer(adapter).data)

    def destroy(self, request: ApiRequest, pk: UUID) -> Response:
        """Delete an adapter and its files; the job stays on record."""
        adapter = own_adapter(request.user, pk)
        adapters.delete_adapter(adapter=adapter, by=request.user.get_username())
        return success({"id": str(pk), "deleted": True})

    @extend_schema(responses=ARCHIVE)
    @action(detail=True)
    def download(self, request: ApiRequest, pk: UUID) -> HttpResponseBase:
        """Download the archive: a PEFT folder as a zip. Supports byte ranges."""
        return downloads.download(request, archive_of(own_adapter(request.user, pk)))

    @extend_schema(responses=ExportSerializer)
    @action(detail=True)
    def export(self, request: ApiRequest, pk: UUID) -> Response:
        """Get the progress of the merged export."""
        return success(ExportSerializer(self._export(request, pk)).data)

    @extend_schema(request=None, responses={202: ExportSerializer, 413: FAULTS[413]})
    @export.mapping.post
    def start_export(self, request: ApiRequest, pk: UUID) -> Response:
        """Merge into the base model; returns an export in progress or done as it is."""
        export, _ = adapters.start_export(adapter=own_adapter(request.user, pk))
        return success(ExportSerializer(export).data, status_code=202)

    @extend_schema(responses=ARCHIVE)
    @action(detail=True, url_path="export/download")
    def export_download(self, request: ApiRequest, pk: UUID) -> HttpResponseBase:
        """Download the merged model: a model folder as a zip. Supports byte ranges."""
        export = self._export(request, pk)
        if export.status != Work.DONE:
            raise NotFound("The merged model is not ready yet.")
        return downloads.download(request, merged_archive_of(export))

    @extend_schema(responses=QuestionsSerializer)
    @action(detail=True)
    def questions(self, request: ApiRequest, pk: UUID) -> Response:
        """List questions with both answers."""
        rows = own_adapter(request.user, pk).questions.all()[:100]
        return success({"questions": QuestionSerializer(rows, many=True).data})

    @extend_schema(
        request=QuestionRequest,
        responses={202: QuestionSerializer, 409: Fault.of(adapters.TOO_MANY_QUESTIONS)},
    )
    @questions.mapping.post
    def ask(self, request: ApiRequest, pk: UUID) -> Response:
        """Ask the base model and the adapter the same question; poll for answers."""
        adapter = own_adapter(request.user, pk)
        body = QuestionRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = adapters.ask(adapter=adapter, **body.validated_data)
        return success(QuestionSerializer(asked).data, status_code=202)

    def _export(self, request: ApiRequest, pk: UUID) -> AdapterExport:
        adapter = own_adapter(request.user, pk)
        export = AdapterExport.objects.filter(adapter=adapter).first()
        if export is None:
            raise NotFound("No merged export has been requested yet.")
        return export
