"""Job actions: pause, resume, start again, continue, change priority."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import Fault
from lora_pipeline.api.openapi import described
from training.domain.priority import PRIORITIES
from training.estimates.fields import Choice, Usd
from training.jobs.api import docs
from training.jobs.api.serializers import JobSerializer
from training.jobs.controls import (
    continue_job,
    pause_job,
    resume_job,
    retry_job,
    set_priority,
)

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    from training.models import TrainingJob

    Base = GenericViewSet[TrainingJob]
else:
    Base = object

NOT_OPEN = Fault(
    when="The job has ended, or is being cancelled.",
    error="The job is completed. Only an open job can be paused.",
    code="not_open",
)
NOT_PAUSED = Fault(
    when="The job is not paused.",
    error="The job is running. Only a paused job can be resumed.",
    code="not_paused",
)
NOT_ENDED = Fault(
    when="The job is still open, or has no suggested change.",
    error="The job is running. Only an ended job can be started again.",
    code="not_ended",
)
CAP_REACHED = Fault(
    when="The cost cap is used up, or the monthly budget does not cover the new one.",
    error="The job has reached 12.50 USD, including adapter storage, with a cap of "
    "12.00. Set a higher max_cost.",
    code="cap_reached",
    component="CapError",
    details={"max_cost": 12.00, "reached_usd": 12.50},
    shape={"type": "object", "additionalProperties": {"type": "number"}},
)
NO_CHECKPOINT = Fault(
    when="The job, or its checkpoint at that step, does not exist.",
    error="The job has no checkpoint at step 7. Stored checkpoints: 20, 40.",
    code="no_checkpoint",
)
AGAIN: dict[int, Any] = {
    200: described(JobSerializer, "The same job resumes."),
    201: described(JobSerializer, "A new job."),
    402: docs.OVER_BUDGET,
    409: NOT_ENDED,
}
PAUSED = {200: JobSerializer, 409: NOT_OPEN}
RESUMED = {200: JobSerializer, 402: CAP_REACHED, 409: NOT_PAUSED}
CONTINUED = AGAIN | {402: CAP_REACHED, 404: NO_CHECKPOINT}
PREFERRED = {200: JobSerializer, 409: docs.ENDED}


class ResumeSerializer(serializers.Serializer[Any]):
    """A higher cost cap, for a job paused at its cap."""

    max_cost = Usd(required=False, allow_null=True)


class RetrySerializer(serializers.Serializer[Any]):
    """Whether to apply the change suggested after the failure."""

    apply_suggestion = serializers.BooleanField(default=False)


class ContinueSerializer(serializers.Serializer[Any]):
    """The checkpoint's step; defaults to the last one."""

    step = serializers.IntegerField(min_value=1, required=False, allow_null=True)


class PrioritySerializer(serializers.Serializer[Any]):
    """The job's priority; only operators can set `high`."""

    priority = Choice(tuple(PRIORITIES))


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> Any:
    """The validated body; a 400 lists all errors at once."""
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data


class JobControls(Base):
    """Actions of the jobs API; `find_own` returns the caller's job or a 404."""

    def find_own(self, request: Request, job_id: Any) -> "TrainingJob":
        raise NotImplementedError

    def answer(self, request: Request, job_id: Any, *, is_new: bool) -> Response:
        """The full job as it is now."""
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        job = self.find_own(request, job_id)
        return success(JobSerializer(job).data, status_code=code)

    @extend_schema(request=None, responses=PAUSED)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: Any) -> Response:
        """Pause a job: immediately if queued, else after the step and a checkpoint."""
        self.find_own(request, pk)
        pause_job(job_id=pk, by=request.user.get_username())
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=ResumeSerializer, responses=RESUMED)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: Any) -> Response:
        """Resume from the last checkpoint, with a new cost cap if given."""
        self.find_own(request, pk)
        max_cost: Decimal | None = checked(ResumeSerializer, request).get("max_cost")
        resume_job(job_id=pk, by=request.user.get_username(), max_cost=max_cost)
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=RetrySerializer, responses=AGAIN)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any) -> Response:
        """Start an ended job again as a new one, with the suggested change if set."""
        self.find_own(request, pk)
        job, is_new = retry_job(
            job_id=pk,
            by=request.user.get_username(),
            **checked(RetrySerializer, request),
        )
        return self.answer(request, job.pk, is_new=is_new)

    @extend_schema(request=ContinueSerializer, responses=CONTINUED)
    @action(detail=True, methods=["post"], url_path="continue")
    def continue_from(self, request: Request, pk: Any) -> Response:
        """Continue from a checkpoint: the same job if paused, a new one if ended."""
        self.find_own(request, pk)
        job, is_new = continue_job(
            job_id=pk,
            by=request.user.get_username(),
            step=checked(ContinueSerializer, request).get("step"),
        )
        return self.answer(request, job.pk, is_new=is_new)

    @extend_schema(request=PrioritySerializer, responses=PREFERRED)
    @action(detail=True, methods=["post"])
    def priority(self, request: Request, pk: Any) -> Response:
        """Change a job's priority in the queue."""
        self.find_own(request, pk)
        set_priority(
            job_id=pk,
            priority=PRIORITIES[checked(PrioritySerializer, request)["priority"]],
            by=request.user.get_username(),
            is_operator=bool(getattr(request.user, "is_staff", False)),
        )
        return self.answer(request, pk, is_new=False)
