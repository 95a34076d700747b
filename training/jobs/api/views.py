"""`/api/jobs`: estimate, create, list, read, rename, move, cancel, delete."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from datasets.access import UNKNOWN_DATASET
from datasets.models import Dataset
from lora_pipeline.api.envelope import success
from lora_pipeline.api.openapi import DELETED
from lora_pipeline.api.pagination import paginate
from training.estimates.answer import estimate_answer
from training.estimates.api_docs import ESTIMATING
from training.estimates.lengths import to_estimate
from training.estimates.quote import quote
from training.estimates.serializers import EstimateRequest
from training.jobs.api import docs
from training.jobs.api.controls import JobControls
from training.jobs.api.serializers import (
    LONG_FIELDS,
    JobEditSerializer,
    JobMoveSerializer,
    JobRequest,
    JobRowSerializer,
    JobSerializer,
)
from training.jobs.filters import JobFilter
from training.jobs.idempotency import HEADER, claim_of, earlier_job
from training.jobs.services import (
    cancel_job,
    create_job,
    hide_job,
    move_job,
    rename_job,
)
from training.models import TrainingJob

UNKNOWN_JOB = "Job not found."


def own_job(request: Request, job_id: Any) -> TrainingJob:
    """The caller's job. The same 404 for unknown, deleted and others' jobs."""
    jobs = TrainingJob.objects.visible_to(request.user).with_dataset()  # type: ignore[arg-type]
    if (job := jobs.find(job_id)) is None:
        raise NotFound(UNKNOWN_JOB)
    return job


def asked_dataset(request: Request, body: EstimateRequest) -> Dataset:
    """The caller's dataset named in a validated body, with its lengths."""
    values: dict[str, Any] = body.validated_data
    model = values.get("base_model", "")
    found = to_estimate(request.user, values["dataset_id"], model)  # type: ignore[arg-type]
    if found is None:
        raise NotFound(UNKNOWN_DATASET)
    return found


class JobViewSet(JobControls, GenericViewSet[TrainingJob]):
    """The caller's training jobs."""

    serializer_class = JobSerializer
    queryset = TrainingJob.objects.none()
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = JobFilter
    lookup_value_converter = "uuid"
    read_actions = ("estimate",)

    def get_serializer_class(self) -> type[JobSerializer]:
        return JobRowSerializer if self.action == "list" else JobSerializer

    def find_own(self, request: Request, job_id: Any) -> TrainingJob:
        return own_job(request, job_id)

    @extend_schema(request=EstimateRequest, **ESTIMATING)
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """Estimate a job's cost and duration. Stores nothing."""
        body = EstimateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = asked_dataset(request, body)
        estimate, _ = quote(dataset=dataset, config=body.config(), found=body.found)
        return success(estimate_answer(estimate, dataset))

    @extend_schema(request=JobRequest, **docs.creating(JobSerializer))
    def create(self, request: Request) -> Response:
        """Create a job at our own estimate; an Idempotency-Key makes retries safe."""
        claim = claim_of(request.headers.get(HEADER), request.data)
        if claim and (job := earlier_job(owner=request.user, claim=claim)):  # type: ignore[arg-type]
            return success(JobSerializer(job).data)
        body = JobRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = asked_dataset(request, body)
        job, is_new = create_job(
            owner=request.user,  # type: ignore[arg-type]
            dataset=dataset,
            config=body.config(),
            found=body.found,
            claim=claim,
        )
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return success(JobSerializer(job).data, status_code=code)

    def list(self, request: Request) -> Response:
        """Newest first, paginated and filtered."""
        jobs = TrainingJob.objects.visible_to(request.user).listed()  # type: ignore[arg-type]
        found = JobFilter(request.query_params, queryset=jobs.defer(*LONG_FIELDS))
        if not found.is_valid():
            raise ValidationError(found.errors)
        rows, block = paginate(request, found.qs)
        return success(
            {"jobs": JobRowSerializer(rows, many=True).data, "pagination": block}
        )

    def retrieve(self, request: Request, pk: Any) -> Response:
        """Get one job."""
        return success(JobSerializer(own_job(request, pk)).data)

    @extend_schema(request=JobEditSerializer, responses=JobSerializer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Rename a job."""
        own_job(request, pk)
        body = JobEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rename_job(job_id=pk, **body.validated_data)
        return success(JobSerializer(own_job(request, pk)).data)

    @extend_schema(
        request=JobMoveSerializer,
        responses={
            200: JobSerializer,
            402: docs.OVER_BUDGET,
            409: docs.NOT_QUEUED,
        },
    )
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: Any) -> Response:
        """Move a queued job to another GPU type, with a new estimate."""
        own_job(request, pk)
        body = JobMoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        gpu = body.validated_data["gpu_config"]
        move_job(
            job_id=pk,
            gpu_type=gpu["type"],
            gpu_count=gpu["count"],
            by=request.user.get_username(),
        )
        return success(JobSerializer(own_job(request, pk)).data)

    @extend_schema(request=None, responses={200: JobSerializer, 409: docs.ENDED})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any) -> Response:
        """Cancel a job: immediately if queued, else after the current step."""
        own_job(request, pk)
        cancel_job(job_id=pk, by=request.user.get_username())
        return success(JobSerializer(own_job(request, pk)).data)

    @extend_schema(responses={200: DELETED, 409: docs.NOT_ENDED})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Delete an ended job."""
        own_job(request, pk)
        hide_job(job_id=pk)
        return success({"id": str(pk), "deleted": True})
