"""The busiest endpoint of the run protocol: trainer events, hundreds per second.

A plain view, because DRF's parsing and checks took as long as storing the events.
"""

import logging
from uuid import UUID

from django.db import DataError
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from lora_pipeline.accounts.authentication import bearer_token
from lora_pipeline.api.envelope import json_error
from lora_pipeline.errors import Refusal
from lora_pipeline.tokens import hash_secret
from training.domain.lifecycle import TransitionRefused
from training.runs.protocol.events import read
from training.runs.protocol.ingest import require_open, take_events

logger = logging.getLogger(__name__)


@csrf_exempt
def post_events(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Receive numbered events, each applied once; the response says whether to stop."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    token = hash_secret(bearer_token(request) or "")
    try:
        require_open(run_id, token)
        report = read(request.body)
        answer = take_events(
            run_id,
            report.events,
            token_hash=token,
            told_seconds=report.running_seconds,
        )
    except Refusal as refusal:
        return json_error(
            refusal.message,
            status_code=refusal.status_code,
            code=refusal.code,
            details=refusal.details,
        )
    except TransitionRefused as refused:
        return json_error(str(refused), status_code=409, code="wrong_state")
    except DataError as error:
        # The schema lets none of these through that we know of. One that it does would
        # come again for ever if it were answered as a fault of ours.
        logger.exception("a report of run %s cannot be stored", run_id)
        return json_error(
            "The events cannot be stored: a value is out of range.",
            status_code=400,
            code="invalid",
            details={"events": [type(error).__name__]},
        )
    return JsonResponse({"success": True, "data": answer})
