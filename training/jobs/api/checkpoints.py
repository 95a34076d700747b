"""`/api/jobs/{id}/checkpoints`: checkpoints to resume from, and deleting them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import Fault
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.rows import RowSerializer
from training.jobs.access import own_job
from training.jobs.checkpoints import free_checkpoint, kept_checkpoints
from training.jobs.refusals import CHECKPOINT_NEEDED
from training.models import Checkpoint

NEEDED = Fault.of(CHECKPOINT_NEEDED)


class CheckpointSerializer(RowSerializer[Checkpoint]):
    """A checkpoint; `is_needed` says why it cannot be deleted."""

    is_needed = serializers.CharField(allow_blank=True)

    class Meta:
        model = Checkpoint
        fields = ["step", "name", "size_bytes", "created_at", "is_needed"]


class CheckpointsSerializer(serializers.Serializer[Any]):
    """Stored checkpoints, newest first, and their total size."""

    checkpoints = CheckpointSerializer(many=True)
    total_bytes = serializers.IntegerField()


class FreedSerializer(serializers.Serializer[Any]):
    """The deleted checkpoint."""

    step = serializers.IntegerField()
    freed_at = serializers.DateTimeField()


class CheckpointsView(APIView):
    """A job's checkpoints."""

    @extend_schema(responses=CheckpointsSerializer)
    def get(self, request: ApiRequest, job_id: UUID) -> Response:
        """List stored checkpoints, newest first."""
        kept = kept_checkpoints(own_job(request.user, job_id))
        total = sum(checkpoint.size_bytes for checkpoint in kept)
        found = {"checkpoints": kept, "total_bytes": total}
        return success(CheckpointsSerializer(found).data)


class FreeCheckpointView(APIView):
    """One checkpoint."""

    @extend_schema(request=None, responses={200: FreedSerializer, 409: NEEDED})
    def post(self, request: ApiRequest, job_id: UUID, step: int) -> Response:
        """Delete a checkpoint's files."""
        own_job(request.user, job_id)
        by = request.user.get_username()
        freed = free_checkpoint(job_id=job_id, step=step, by=by)
        return success(FreedSerializer(freed).data)
