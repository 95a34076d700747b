"""Endpoints of the run protocol, authenticated by the attempt's token."""

from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import FileResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.accounts.authentication import bearer_token
from lora_pipeline.api.envelope import success
from lora_pipeline.errors import Refusal
from lora_pipeline.models import User
from lora_pipeline.postgres import row_security
from lora_pipeline.tokens import hash_secret
from training.models import RunAttempt
from training.runs.protocol.artifact import receive_artifact
from training.runs.protocol.spec import run_spec


class RunAuthentication(BaseAuthentication):
    """A run token gives access to its own run while the attempt lasts."""

    def authenticate(self, request: Request) -> tuple[User, RunAttempt]:
        row_security.act_as_operator()
        token = bearer_token(request) or ""
        attempt = (
            RunAttempt.objects.select_related("job__user", "job__dataset")
            .filter(token_hash=hash_secret(token))
            .first()
        )
        if attempt is None:
            raise AuthenticationFailed("Unknown run token.")
        return attempt.job.user, attempt

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="run"'


class RunView(APIView):
    """Base view: allows only the attempt that the token belongs to."""

    authentication_classes = [RunAuthentication]
    throttle_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        attempt: RunAttempt = request.auth  # type: ignore[assignment]
        if attempt.pk != kwargs["run_id"]:
            raise NotFound("This token does not belong to this run.")
        if attempt.ended_at is not None:
            words = "This attempt has ended. Stop reporting."
            raise Refusal(words, status_code=410, code="run_ended")


class SpecView(RunView):
    def get(self, request: Request, run_id: UUID) -> Response:
        """Everything needed to execute and reproduce the run."""
        return success(run_spec(request.auth))  # type: ignore[arg-type]


class DatasetSplitView(RunView):
    def get(self, request: Request, run_id: UUID, split: str) -> FileResponse:
        """The normalised rows of a split, streamed."""
        path = request.auth.job.dataset.split_path(split)  # type: ignore[union-attr]
        file = default_storage.open(path)
        return FileResponse(file, content_type="application/jsonl")


class ArtifactView(RunView):
    def put(self, request: Request, run_id: UUID) -> Response:
        """Receive the adapter archive: streamed to the storage and verified."""
        adapter = receive_artifact(
            attempt=request.auth,  # type: ignore[arg-type]
            stream=request._request,
            archive_sha256=request.headers.get("X-Content-SHA256", ""),
            adapter_sha256=request.headers.get("X-Adapter-SHA256", ""),
        )
        return success({"adapter_id": str(adapter.pk)})
