"""The two shapes of API responses: success with data, error with details."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from lora_pipeline.errors import Refusal
from lora_pipeline.logs.request_ids import current_request_id

logger = logging.getLogger(__name__)

CSRF_WORDS = (
    "The CSRF token is missing or wrong. Send the value of the csrftoken cookie in the "
    "X-CSRFToken header, or use an API key instead of a session."
)
NOT_SIGNED_IN = "Sign in, or send an API key as 'Authorization: Bearer …'."


def success(data: Any, *, status_code: int = 200, **headers: str) -> Response:
    """`{"success": true, "data": …}`."""
    body = {"success": True, "data": data}
    return Response(body, status=status_code, headers=headers or None)


def error_body(message: str, code: str, details: Any = None) -> dict[str, Any]:
    """`{"error": one sentence, "code": …, "details": …}`."""
    return {"error": message, "code": code, "details": details}


def json_error(
    message: str, *, status_code: int, code: str, details: Any = None
) -> JsonResponse:
    """An error response from outside DRF: middleware or Django's own handlers."""
    return JsonResponse(error_body(message, code, details), status=status_code)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Any DRF exception in the error shape; None means a server error."""
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    message, code, details = _words(error, response, context)
    response.data = error_body(message, code, details)
    return response


def _words(
    error: Exception, response: Response, context: dict[str, Any]
) -> tuple[str, str, Any]:
    if isinstance(error, Refusal):
        return error.message, error.code, error.details
    if isinstance(error, exceptions.ValidationError):
        details = flatten(error.detail)
        return f"{_count(details)} to fix: see details.", "invalid", details
    if isinstance(error, exceptions.ParseError):
        return (
            "The request body cannot be read.",
            "invalid",
            {"body": [str(error.detail)]},
        )
    if isinstance(error, exceptions.NotAuthenticated):
        return NOT_SIGNED_IN, "not_authenticated", None
    if isinstance(error, Http404):
        return _not_found(error), "not_found", None
    if isinstance(error, PermissionDenied):
        return "You do not have permission to do this.", "forbidden", None
    if isinstance(error, exceptions.Throttled):
        seconds = response.headers.get("Retry-After", "60")
        return f"Too many requests. Try again in {seconds} s.", "throttled", None
    if isinstance(error, exceptions.APIException):
        return _advice(error, context), str(error.get_codes()), None
    return "The request was rejected.", str(response.status_code), None


def _advice(error: exceptions.APIException, context: dict[str, Any]) -> str:
    """What was received and what is allowed, where DRF's message says less."""
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = ", ".join(context["view"].allowed_methods)
        return f"{context['request'].method} is not allowed here. Allowed: {allowed}."
    if isinstance(error, exceptions.UnsupportedMediaType):
        given = str(context["request"].content_type or "no Content-Type")[:80]
        known = " or ".join(p.media_type for p in context["view"].get_parsers())
        return f"Received {given}; send {known}."
    words = str(error.detail)
    return CSRF_WORDS if words.startswith("CSRF Failed") else words


def _not_found(error: Http404) -> str:
    """Our own message if there is one; never Django's, which names the table."""
    words = str(error.args[0]) if error.args else ""
    return words if words.endswith(".") else "Not found."


def _count(details: dict[str, list[str]]) -> str:
    return "One field" if len(details) == 1 else f"{len(details)} fields"


def flatten(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Flatten DRF errors into a map of dotted field name to messages."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            own = "" if key == "non_field_errors" else str(key)
            found |= flatten(value, ".".join(filter(None, [name, own])))
        return found
    if isinstance(detail, list) and any(isinstance(one, dict) for one in detail):
        return flatten({str(n): one for n, one in enumerate(detail) if one}, name)
    messages = detail if isinstance(detail, list) else [detail]
    return {name or "body": [str(message) for message in messages]}


def is_api(request: HttpRequest) -> bool:
    """True for paths that return JSON."""
    return request.path_info.startswith("/api/")


def unreadable() -> JsonResponse:
    """A 400 for a request that Django rejected before it reached a view."""
    words = "The request cannot be read: its host, form or encoding is malformed."
    return json_error(
        words, status_code=400, code="invalid", details={"request": [words]}
    )


def server_error(request: HttpRequest) -> JsonResponse:
    """A 500 with a request id to look up in the log, and no inner detail."""
    request_id = current_request_id()
    logger.exception("request %s: %s %s", request_id, request.method, request.path)
    return json_error(
        "Internal server error. Look up the request id in the server log.",
        status_code=500,
        code="server_error",
        details={"request_id": request_id},
    )
