"""`/api/adapters`: adapters, their archives, merged models and answers."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import Fault
from lora_pipeline.api.pagination import paginate
from lora_pipeline.files import downloads
from training.adapters import services as adapters
from training.adapters.page import archive_of, merged_archive_of, snippets
from training.models import Adapter, AdapterExport, AdapterQuestion, Work

UNKNOWN_ADAPTER = "Adapter not found."
ARCHIVE = {
    (200, "application/zip"): OpenApiTypes.BINARY,
    (206, "application/zip"): OpenApiTypes.BINARY,
    304: OpenApiResponse(None, description="Not modified (If-None-Match)."),
    416: OpenApiResponse(
        None, description="The range starts past the end of the file."
    ),
}
TOO_MANY = Fault(
    when="The caller has too many unanswered questions.",
    error="5 of your questions are still unanswered. Wait for one to finish.",
    code="too_many_questions",
)


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    """An adapter: name, version, lineage and archive."""

    class Meta:
        model = Adapter
        exclude = ["storage_path", "user", "deleted_at"]


class AdapterDetailSerializer(AdapterSerializer):
    """An adapter with code to load it."""

    snippets = serializers.SerializerMethodField()

    def get_snippets(self, adapter: Adapter) -> dict[str, str]:
        return snippets(adapter)


class AdapterEditSerializer(serializers.Serializer[Any]):
    """Editable fields of an adapter."""

    name = serializers.CharField(max_length=200)


class ExportSerializer(serializers.ModelSerializer[AdapterExport]):
    """Progress of a merged export, and its checksum once done."""

    class Meta:
        model = AdapterExport
        exclude = ["storage_path"]


class QuestionRequest(serializers.Serializer[Any]):
    """A question for the base model and the adapter."""

    question = serializers.CharField(max_length=adapters.LONGEST_QUESTION)
    system = serializers.CharField(
        max_length=adapters.LONGEST_SYSTEM, required=False, allow_blank=True
    )
    max_new_tokens = serializers.IntegerField(
        min_value=1, max_value=adapters.MOST_NEW_TOKENS, required=False
    )


class QuestionSerializer(serializers.ModelSerializer[AdapterQuestion]):
    """A question and both answers, each null until it is ready."""

    class Meta:
        model = AdapterQuestion
        fields = "__all__"


class QuestionsSerializer(serializers.Serializer[Any]):
    """Questions to an adapter, newest first, at most 100."""

    questions = QuestionSerializer(many=True)


class AdapterViewSet(GenericViewSet[Adapter]):
    """The caller's adapters."""

    serializer_class = AdapterSerializer
    queryset = Adapter.objects.none()
    lookup_value_converter = "uuid"

    def list(self, request: Request) -> Response:
        """Newest first."""
        own = Adapter.objects.visible_to(request.user)  # type: ignore[arg-type]
        rows, block = paginate(request, own)
        found = AdapterSerializer(rows, many=True).data
        return success({"adapters": found, "pagination": block})

    @extend_schema(responses=AdapterDetailSerializer)
    def retrieve(self, request: Request, pk: Any) -> Response:
        """Get one adapter, with code to load it."""
        return success(AdapterDetailSerializer(self._own(request, pk)).data)

    @extend_schema(request=AdapterEditSerializer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Rename an adapter; under the new name it gets the next version."""
        adapter = self._own(request, pk)
        body = AdapterEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        adapters.rename_adapter(adapter=adapter, **body.validated_data)
        return success(AdapterSerializer(adapter).data)

    def destroy(self, request: Request, pk: Any) -> Response:
        """Delete an adapter and its files; the job stays on record."""
        adapter = self._own(request, pk)
        adapters.delete_adapter(adapter=adapter, by=request.user.get_username())
        return success({"id": str(pk), "deleted": True})

    @extend_schema(responses=ARCHIVE)
    @action(detail=True)
    def download(self, request: Request, pk: Any) -> HttpResponseBase:
        """Download the archive: a PEFT folder as a zip. Supports byte ranges."""
        return downloads.download(request, archive_of(self._own(request, pk)))

    @extend_schema(responses=ExportSerializer)
    @action(detail=True)
    def export(self, request: Request, pk: Any) -> Response:
        """Get the progress of the merged export."""
        return success(ExportSerializer(self._export(request, pk)).data)

    @extend_schema(request=None, responses={202: ExportSerializer})
    @export.mapping.post
    def start_export(self, request: Request, pk: Any) -> Response:
        """Merge into the base model; returns an export in progress or done as it is."""
        export, _ = adapters.start_export(adapter=self._own(request, pk))
        return success(ExportSerializer(export).data, status_code=202)

    @extend_schema(responses=ARCHIVE)
    @action(detail=True, url_path="export/download")
    def export_download(self, request: Request, pk: Any) -> HttpResponseBase:
        """Download the merged model: a model folder as a zip. Supports byte ranges."""
        export = self._export(request, pk)
        if export.status != Work.DONE:
            raise NotFound("The merged model is not ready yet.")
        return downloads.download(request, merged_archive_of(export))

    @extend_schema(responses=QuestionsSerializer)
    @action(detail=True)
    def questions(self, request: Request, pk: Any) -> Response:
        """List questions with both answers."""
        rows = self._own(request, pk).questions.all()[:100]
        return success({"questions": QuestionSerializer(rows, many=True).data})

    @extend_schema(
        request=QuestionRequest,
        responses={202: QuestionSerializer, 409: TOO_MANY},
    )
    @questions.mapping.post
    def ask(self, request: Request, pk: Any) -> Response:
        """Ask the base model and the adapter the same question; poll for answers."""
        adapter = self._own(request, pk)
        body = QuestionRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = adapters.ask(adapter=adapter, **body.validated_data)
        return success(QuestionSerializer(asked).data, status_code=202)

    def _own(self, request: Request, pk: Any) -> Adapter:
        own = Adapter.objects.visible_to(request.user).with_job()  # type: ignore[arg-type]
        if (adapter := own.find(pk)) is None:
            raise NotFound(UNKNOWN_ADAPTER)
        return adapter

    def _export(self, request: Request, pk: Any) -> AdapterExport:
        adapter = self._own(request, pk)
        export = AdapterExport.objects.filter(adapter=adapter).first()
        if export is None:
            raise NotFound("No merged export has been requested yet.")
        return export
