"""What can be done to a job: pause, resume, start again, continue, change priority."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from lora_pipeline.envelope import success
from training.controls import (
    continue_job,
    pause_job,
    resume_job,
    retry_job,
    set_priority,
)
from training.domain.priority import PRIORITIES
from training.serializers import Choice, JobSerializer, Usd

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    from training.models import TrainingJob

    Base = GenericViewSet[TrainingJob]
else:
    Base = object

PAUSED = {200: JobSerializer, 409: OpenApiResponse(description="The job has ended.")}
RESUMED = {
    200: JobSerializer,
    402: OpenApiResponse(description="The cap is spent, or the month's budget."),
    409: OpenApiResponse(description="The job is not paused."),
}
AGAIN = {
    200: OpenApiResponse(JobSerializer, description="The same job goes on."),
    201: OpenApiResponse(JobSerializer, description="A new job."),
    402: OpenApiResponse(description="The month's budget does not allow it."),
    409: OpenApiResponse(description="The job is under way."),
}


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

    @extend_schema(request=ContinueSerializer, responses=AGAIN)
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

    @extend_schema(request=PrioritySerializer, responses=PAUSED)
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
