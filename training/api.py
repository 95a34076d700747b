"""`/api/jobs`: estimate, create, list, read, cancel."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from datasets.api import own_dataset
from lora_pipeline.envelope import success
from lora_pipeline.pagination import paginate
from training.filters import JobFilter
from training.models import TrainingJob
from training.serializers import (
    EstimateRequest,
    JobRequest,
    JobSerializer,
    estimate_answer,
)
from training.services import cancel_job, create_job, hide_job, quote

UNKNOWN_JOB = "There is no such job among yours."


def own_job(request: Request, job_id: Any) -> TrainingJob:
    """The caller's job; unknown, deleted and foreign ones are the same 404."""
    jobs = TrainingJob.objects.visible_to(request.user).with_dataset()  # type: ignore[arg-type]
    if (job := jobs.find(job_id)) is None:
        raise NotFound(UNKNOWN_JOB)
    return job


class JobViewSet(GenericViewSet[TrainingJob]):
    """Training jobs of the caller."""

    serializer_class = JobSerializer
    queryset = TrainingJob.objects.none()
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = JobFilter
    lookup_value_converter = "uuid"

    @extend_schema(request=EstimateRequest)
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """What a job would cost and how long it would take; writes nothing."""
        body = EstimateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = own_dataset(request, body.validated_data["dataset_id"])
        estimate, _ = quote(dataset=dataset, config=body.config())
        return success(estimate_answer(estimate, dataset))

    @extend_schema(request=JobRequest, responses={201: JobSerializer})
    def create(self, request: Request) -> Response:
        """Queue a job at our own estimate."""
        body = JobRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = own_dataset(request, body.validated_data["dataset_id"])
        job = create_job(owner=request.user, dataset=dataset, config=body.config())  # type: ignore[arg-type]
        return success(JobSerializer(job).data, status_code=201)

    def list(self, request: Request) -> Response:
        """Newest first, with pages and filters."""
        jobs = TrainingJob.objects.visible_to(request.user).with_dataset()  # type: ignore[arg-type]
        found = JobFilter(request.query_params, queryset=jobs)
        if not found.is_valid():
            raise ValidationError(found.errors)
        rows, block = paginate(request, found.qs)
        return success(
            {"jobs": JobSerializer(rows, many=True).data, "pagination": block}
        )

    def retrieve(self, request: Request, pk: Any) -> Response:
        """One job."""
        return success(JobSerializer(own_job(request, pk)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any) -> Response:
        """Cancel at once what waits; ask a run to stop after its step."""
        own_job(request, pk)
        cancel_job(job_id=pk, by=request.user.get_username())
        return success(JobSerializer(own_job(request, pk)).data)

    def destroy(self, request: Request, pk: Any) -> Response:
        """Put an ended job out of sight."""
        own_job(request, pk)
        hide_job(job_id=pk)
        return success({"id": str(pk), "deleted": True})
