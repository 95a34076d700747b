"""The outermost middleware: assigns request ids and logs one line per request."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from lora_pipeline.logs import request_ids

Answer = Callable[[HttpRequest], HttpResponseBase]
HEADER = "X-Request-ID"
logger = logging.getLogger("lora_pipeline.requests")


class RequestIds:
    """Accepts or creates a request id, returns it and logs the request."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        request_id = request_ids.begin(request.headers.get(HEADER, ""))
        try:
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            self._log(request, response, time.perf_counter() - began)
            return response
        finally:
            request_ids.end()

    def _log(
        self, request: HttpRequest, response: HttpResponseBase, seconds: float
    ) -> None:
        """The path without its query, which may contain search terms."""
        facts = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
        }
        logger.info("%(method)s %(path)s %(status)s", facts, extra=facts)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            # Django would log this too, after the id has been cleared.
            words = ("%s: %s", response.reason_phrase, request.path)
            log_response(*words, response=response, request=request)  # type: ignore[arg-type]
