"""What can be done to a job: pause, resume, start again, continue, change priority."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import FAULTS, NOTHING_OR_QUOTA, Fault
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
    error="The job is completed: only an open job can pause.",
    code="not_open",
)
NOT_PAUSED = Fault(
    when="The job is not paused.",
    error="The job is running: only a paused job can resume.",
    code="not_paused",
)
NOT_ENDED = Fault(
    when="The job is under way, has no suggested change to make, or too many wait.",
    error="The job is running: only an ended job can be started again.",
    code="not_ended",
    component="QuotaError",
    shape=NOTHING_OR_QUOTA,
)
CAP_REACHED = Fault(
    when="The job's cap is spent, or the month's budget does not allow the new one.",
    error="The job has come to 12.50 USD, the adapter's storage included, of at most "
    "12.00: give a max_cost above that.",
    code="cap_reached",
    component="CapError",
    details={"max_cost": 12.00, "reached_usd": 12.50},
    shape={"type": "object", "additionalProperties": {"type": "number"}},
)
NO_CHECKPOINT = Fault(
    when="The job, or its checkpoint of that step, is not there.",
    error="The job has no checkpoint of step 7; kept are those of: 20, 40.",
    code="no_checkpoint",
)
AGAIN: dict[int, Any] = {
    200: described(JobSerializer, "The same job goes on."),
    201: described(JobSerializer, "A new job."),
    402: docs.OVER_BUDGET,
    409: NOT_ENDED,
    413: FAULTS[413],
}
PAUSED = {200: JobSerializer, 409: NOT_OPEN}
RESUMED = {200: JobSerializer, 402: CAP_REACHED, 409: NOT_PAUSED}
CONTINUED = AGAIN | {402: CAP_REACHED, 404: NO_CHECKPOINT}
PREFERRED = {200: JobSerializer, 409: docs.ENDED}


class ResumeSerializer(serializers.Serializer[Any]):
    """A higher cap, for a job that was paused at the old one."""

    max_cost = Usd(required=False, allow_null=True)


class RetrySerializer(serializers.Serializer[Any]):
    """Whether to make the change that the failure suggested."""

    apply_suggestion = serializers.BooleanField(default=False)


class ContinueSerializer(serializers.Serializer[Any]):
    """The checkpoint's step; the last one when left out."""

    step = serializers.IntegerField(min_value=1, required=False, allow_null=True)


class PrioritySerializer(serializers.Serializer[Any]):
    """How urgent the job is; `high` is an operator's to give."""

    priority = Choice(tuple(PRIORITIES))


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> Any:
    """The body's values; all faults of it at once as a 400."""
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data


class JobControls(Base):
    """Actions of the jobs API; `find_own` answers the caller's job or a 404."""

    def find_own(self, request: Request, job_id: Any) -> "TrainingJob":
        raise NotImplementedError

    def answer(self, request: Request, job_id: Any, *, is_new: bool) -> Response:
        """The whole job as it is now."""
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        job = self.find_own(request, job_id)
        return success(JobSerializer(job).data, status_code=code)

    @extend_schema(request=None, responses=PAUSED)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: Any) -> Response:
        """Pause at once what waits; let a run stop after its step, saved."""
        self.find_own(request, pk)
        pause_job(job_id=pk, by=request.user.get_username())
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=ResumeSerializer, responses=RESUMED)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: Any) -> Response:
        """Go on from the last checkpoint, with another cap if one is given."""
        self.find_own(request, pk)
        max_cost: Decimal | None = checked(ResumeSerializer, request).get("max_cost")
        resume_job(job_id=pk, by=request.user.get_username(), max_cost=max_cost)
        return self.answer(request, pk, is_new=False)

    @extend_schema(request=RetrySerializer, responses=AGAIN)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any) -> Response:
        """Start an ended job again as a new one, with the suggested change if asked."""
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
        """Go on from a checkpoint: a paused job itself, an ended one as a new job."""
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
        """Let a job start before or after others."""
        self.find_own(request, pk)
        set_priority(
            job_id=pk,
            priority=PRIORITIES[checked(PrioritySerializer, request)["priority"]],
            by=request.user.get_username(),
            is_operator=bool(getattr(request.user, "is_staff", False)),
        )
        return self.answer(request, pk, is_new=False)
