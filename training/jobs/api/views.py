"""`/api/jobs`: estimate, create, list, read, rename, move, cancel, delete."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response

from datasets.access import KIND
from datasets.models import Dataset
from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import Fault
from lora_pipeline.api.openapi import DELETED
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.viewsets import OwnViewSet
from lora_pipeline.errors import NotYours
from training.estimates.answer import estimate_answer
from training.estimates.api_docs import ESTIMATING, SUGGESTING
from training.estimates.lengths import to_estimate
from training.estimates.quote import quote
from training.estimates.serializers import EstimateRequest, SuggestRequest
from training.estimates.suggest import forecast_answer, suggestion_answer
from training.jobs import refusals
from training.jobs.access import own_job
from training.jobs.api import docs
from training.jobs.api.controls import JobControls
from training.jobs.api.serializers import (
    JobEditSerializer,
    JobMoveSerializer,
    JobRequest,
    JobRowSerializer,
    JobSerializer,
)
from training.jobs.filters import JobFilter
from training.jobs.idempotency import HEADER, claim_of, earlier_job
from training.jobs.listing import OwnJobs, listed
from training.jobs.services import (
    cancel_job,
    create_job,
    hide_job,
    move_job,
    rename_job,
)
from training.models import TrainingJob
from training.models.jobs import TrainingJobQuerySet

CANCELLED = {200: JobSerializer, 409: Fault.of(refusals.ALREADY_ENDED)}


def asked_dataset(
    request: ApiRequest, body: EstimateRequest | SuggestRequest
) -> Dataset:
    """The caller's dataset that a checked body names, ready to be estimated."""
    values: dict[str, Any] = body.validated_data
    model = values.get("base_model", "")
    found = to_estimate(request.user, values["dataset_id"], model)
    if found is None:
        raise NotYours(KIND)
    return found


class JobViewSet(JobControls, OwnViewSet[TrainingJob]):
    """The caller's training jobs."""

    serializer_class = JobSerializer
    queryset = TrainingJob.objects.none()
    list_serializer_class = JobRowSerializer
    filterset_class = JobFilter
    list_key = "jobs"
    list_words = "Newest first, with pages and filters"
    read_actions = ("estimate", "suggest")

    @extend_schema(request=EstimateRequest, **ESTIMATING)
    @action(detail=False, methods=["post"])
    def estimate(self, request: ApiRequest) -> Response:
        """Estimate a job's cost and duration. Stores nothing."""
        body = EstimateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = asked_dataset(request, body)
        asked = body.checked()
        estimate = quote(dataset=dataset, asked=asked)
        answer = estimate_answer(estimate, dataset)
        return success(answer | {"forecast": forecast_answer(dataset, asked, answer)})

    @extend_schema(request=SuggestRequest, **SUGGESTING)
    @action(detail=False, methods=["post"])
    def suggest(self, request: ApiRequest) -> Response:
        """Suggest a recipe for a dataset and base model. Stores nothing."""
        body = SuggestRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = asked_dataset(request, body)
        return success(suggestion_answer(dataset, body.found.model))

    @extend_schema(request=JobRequest, **docs.creating(JobSerializer))
    def create(self, request: ApiRequest) -> Response:
        """Create a job at our own estimate; an Idempotency-Key makes retries safe."""
        claim = claim_of(request.headers.get(HEADER), request.data)
        if claim and (job := earlier_job(owner=request.user, claim=claim)):
            return success(JobSerializer(job).data)
        body = JobRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = asked_dataset(request, body)
        job, is_new = create_job(
            owner=request.user,
            dataset=dataset,
            asked=body.checked(),
            claim=claim,
        )
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return success(JobSerializer(job).data, status_code=code)

    def own(self) -> TrainingJobQuerySet:
        return listed(self.request.user)

    def plain_list(self) -> OwnJobs:
        return OwnJobs(user=self.request.user)

    def retrieve(self, request: ApiRequest, pk: UUID) -> Response:
        """Get one job."""
        return success(JobSerializer(own_job(request.user, pk)).data)

    @extend_schema(request=JobEditSerializer, responses=JobSerializer)
    def partial_update(self, request: ApiRequest, pk: UUID) -> Response:
        """Rename a job."""
        own_job(request.user, pk)
        body = JobEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rename_job(job_id=pk, **body.validated_data)
        return success(JobSerializer(own_job(request.user, pk)).data)

    @extend_schema(
        request=JobMoveSerializer,
        responses={
            200: JobSerializer,
            402: docs.OVER_BUDGET,
            409: Fault.of(refusals.NOT_QUEUED),
        },
    )
    @action(detail=True, methods=["post"])
    def move(self, request: ApiRequest, pk: UUID) -> Response:
        """Move a queued job to another GPU type, with a new estimate."""
        own_job(request.user, pk)
        body = JobMoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        gpu = body.validated_data["gpu_config"]
        move_job(
            job_id=pk,
            gpu_type=gpu["type"],
            gpu_count=gpu["count"],
            by=request.user.get_username(),
        )
        return success(JobSerializer(own_job(request.user, pk)).data)

    @extend_schema(
        request=None,
        responses=CANCELLED,
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: ApiRequest, pk: UUID) -> Response:
        """Cancel a job: immediately if queued, else after the current step."""
        own_job(request.user, pk)
        cancel_job(job_id=pk, by=request.user.get_username())
        return success(JobSerializer(own_job(request.user, pk)).data)

    @extend_schema(responses={200: DELETED, 409: Fault.of(refusals.NOT_DELETABLE)})
    def destroy(self, request: ApiRequest, pk: UUID) -> Response:
        """Delete an ended job."""
        own_job(request.user, pk)
        hide_job(job_id=pk)
        return success({"id": str(pk), "deleted": True})
