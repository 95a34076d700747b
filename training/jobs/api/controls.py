"""Job actions: pause, resume, start again, continue, change priority."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS, NOTHING_OR_QUOTA, Fault
from lora_pipeline.api.fields import StrictSerializer
from lora_pipeline.api.openapi import described
from lora_pipeline.api.requests import ApiRequest
from training.domain.priority import PRIORITIES
from training.estimates.fields import Choice, Usd
from training.jobs import refusals
from training.jobs.access import own_job
from training.jobs.api import docs
from training.jobs.api.serializers import JobSerializer
from training.jobs.controls import (
    continue_job,
    pause_job,
    resume_job,
    retry_job,
    set_priority,
)

CAP_REACHED = Fault.of(
    refusals.CAP_REACHED,
    component="CapError",
    details={"max_cost": 12.00, "reached_usd": 12.50},
    shape={"type": "object", "additionalProperties": {"type": "number"}},
)
AGAIN: dict[int, Any] = {
    200: described(JobSerializer, "The same job resumes."),
    201: described(JobSerializer, "A new job."),
    402: docs.OVER_BUDGET,
    409: Fault.of(refusals.UNDER_WAY, component="QuotaError", shape=NOTHING_OR_QUOTA),
    413: FAULTS[413],
}
PAUSED = {200: JobSerializer, 409: Fault.of(refusals.NOT_OPEN)}
RESUMED = {
    200: JobSerializer,
    402: CAP_REACHED,
    409: Fault.of(refusals.NOT_PAUSED, component="QuotaError", shape=NOTHING_OR_QUOTA),
}
CONTINUED = AGAIN | {402: CAP_REACHED, 404: Fault.of(refusals.NO_CHECKPOINT)}
PREFERRED = {200: JobSerializer, 409: Fault.of(refusals.ALREADY_ENDED)}


class ResumeSerializer(StrictSerializer):
    """A higher cost cap, for a job paused at its cap."""

    max_cost = Usd(required=False, allow_null=True)


class RetrySerializer(StrictSerializer):
    """Whether to apply the change suggested after the failure."""

    apply_suggestion = serializers.BooleanField(default=False)


class ContinueSerializer(StrictSerializer):
    """The checkpoint's step; defaults to the last one."""

    step = serializers.IntegerField(min_value=1, required=False, allow_null=True)


class PrioritySerializer(StrictSerializer):
    """The job's priority; only operators can set `high`."""

    priority = Choice(tuple(PRIORITIES))


def checked(serializer: type[serializers.Serializer[Any]], request: ApiRequest) -> Any:
    """The validated body; a 400 lists all errors at once."""
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data


class JobControls:
    """Actions of the jobs API on one job of the caller."""

    def answer(self, request: ApiRequest, job_id: UUID, *, is_new: bool) -> Response:
        """The full job as it is now."""
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        job = own_job(request.user, job_id)
        return success(JobSerializer(job).data, status_code=code)

    @extend_schema(request=None, responses=PAUSED)
    @action(detail=True, methods=["post"])
    def pause(self, request: ApiRequest, pk: UUID) -> Response:
        """Pause a job: immediately if queued, else after the step and a checkpoint."""
        own_job(request.user, pk)
        pause_job(job_id=pk, by=request.user.get_username())
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=ResumeSerializer, responses=RESUMED)
    @action(detail=True, methods=["post"])
    def resume(self, request: ApiRequest, pk: UUID) -> Response:
        """Resume from the last checkpoint, with a new cost cap if given."""
        own_job(request.user, pk)
        max_cost: Decimal | None = checked(ResumeSerializer, request).get("max_cost")
        resume_job(job_id=pk, by=request.user.get_username(), max_cost=max_cost)
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=RetrySerializer, responses=AGAIN)
    @action(detail=True, methods=["post"])
    def retry(self, request: ApiRequest, pk: UUID) -> Response:
        """Start an ended job again as a new one, with the suggested change if set."""
        own_job(request.user, pk)
        job, is_new = retry_job(
            job_id=pk,
            by=request.user.get_username(),
            **checked(RetrySerializer, request),
        )
        return self.answer(request, job.pk, is_new=is_new)

    @extend_schema(request=ContinueSerializer, responses=CONTINUED)
    @action(detail=True, methods=["post"], url_path="continue")
    def continue_from(self, request: ApiRequest, pk: UUID) -> Response:
        """Continue from a checkpoint: the same job if paused, a new one if ended."""
        own_job(request.user, pk)
        job, is_new = continue_job(
            job_id=pk,
            by=request.user.get_username(),
            step=checked(ContinueSerializer, request).get("step"),
        )
        return self.answer(request, job.pk, is_new=is_new)

    @extend_schema(request=PrioritySerializer, responses=PREFERRED)
    @action(detail=True, methods=["post"])
    def priority(self, request: ApiRequest, pk: UUID) -> Response:
        """Change a job's priority in the queue."""
        own_job(request.user, pk)
        set_priority(
            job_id=pk,
            priority=PRIORITIES[checked(PrioritySerializer, request)["priority"]],
            by=request.user.get_username(),
            is_operator=request.user.has_perm("training.prioritise_trainingjob"),
        )
        return self.answer(request, pk, is_new=False)
