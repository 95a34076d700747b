"""The busiest endpoint of the run protocol: trainer events, hundreds per second.

A plain view, because DRF's parsing and checks took as long as storing the events.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from lora_pipeline.accounts.authentication import bearer_token
from lora_pipeline.api.envelope import json_error
from lora_pipeline.errors import Refusal
from lora_pipeline.postgres import row_security
from lora_pipeline.tokens import hash_secret
from training.runs.protocol.ingest import take_events

MAX_EVENTS = 1000
CHECKPOINT_NAME = msgspec.Meta(pattern=r"^checkpoint-[0-9]{1,12}\Z")
NEEDED = {"metrics": ("step",), "eval": ("step",), "checkpoint": ("step", "name")}


class Head(msgspec.Struct):
    """Fields of every event; the rest depends on its type."""

    sequence: Annotated[int, msgspec.Meta(ge=1)]
    type: Annotated[str, msgspec.Meta(max_length=30)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    step: Annotated[int, msgspec.Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET
    # A checkpoint's folder, which must be inside the run's own folder.
    name: Annotated[str, CHECKPOINT_NAME] | msgspec.UnsetType = msgspec.UNSET


class Batch(msgspec.Struct):
    """The request body."""

    events: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=MAX_EVENTS)]


@csrf_exempt
def post_events(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Receive numbered events, each applied once; the response says whether to stop."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row_security.act_as_operator()
    token = hash_secret(bearer_token(request) or "")
    try:
        answer = take_events(run_id, read(request.body), token_hash=token)
    except Refusal as refusal:
        return json_error(
            refusal.message,
            status_code=refusal.status_code,
            code=refusal.code,
            details=refusal.details,
        )
    return JsonResponse({"success": True, "data": answer})


def read(body: bytes) -> list[dict[str, Any]]:
    """The events of a body. Raises Refusal 400 with the position of the error."""
    try:
        events = msgspec.json.decode(body, type=Batch).events
        heads = msgspec.convert(events, list[Head])
    except msgspec.MsgspecError as error:
        raise _refused(str(error)) from error
    for event, head in zip(events, heads, strict=True):
        event["at"] = head.at
        if missing := [k for k in NEEDED.get(head.type, ()) if k not in event]:
            raise _refused(f"Event {head.sequence} is missing {', '.join(missing)}.")
    return events


def _refused(words: str) -> Refusal:
    return Refusal(
        "The events cannot be read: see details.",
        code="invalid",
        details={"events": [words]},
    )
