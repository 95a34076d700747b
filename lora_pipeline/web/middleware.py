"""Middleware: errors, size limits, row-level security, sign-in."""

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    UnreadablePostError,
)
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render, resolve_url

from lora_pipeline.api.envelope import is_api, json_error, server_error, unreadable
from lora_pipeline.errors import Refusal
from lora_pipeline.postgres import row_security
from lora_pipeline.web import failures
from lora_pipeline.web.large_bodies import is_large, take_place
from lora_pipeline.web.rate_limits import SIGN_IN_DOORS

Answer = Callable[[HttpRequest], HttpResponseBase]
UPLOADS = re.compile(
    r"/api/datasets(/[^/]+/(content|versions))?|/datasets/(upload|[^/]+/version)"
)
ARTIFACT = re.compile(r"/api/runs/.*/artifact")
# Read before anybody is known, so it has to come whole before a thread is taken.
SIGN_IN_BYTES = 16 * 1024
NO_LENGTH = "Send a Content-Length header; chunked request bodies are not accepted."
CUT_OFF = "The body ended early, or came too slowly: send it again."
OPEN_PATHS = (
    "/sign-in",
    "/password/forgotten",
    "/password/new",
    "/static/",
    "/api/",
    "/favicon.ico",
)
CALLERS_FAULTS = (BadRequest, SuspiciousOperation)


class ErrorEnvelope:
    """API paths return errors as JSON, even if they never reach a view."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not (is_api(request) and _is_html(response)):
            return response
        if response.status_code == 404:
            return json_error("Not found.", status_code=404, code="not_found")
        return unreadable() if response.status_code == 400 else response

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if isinstance(error, RequestDataTooBig):
            return too_large(request, settings.MAX_BODY_BYTES)
        if isinstance(error, UnreadablePostError):
            return refused_body(request, CUT_OFF, status=400, code="incomplete")
        if isinstance(error, CALLERS_FAULTS):
            return unreadable() if is_api(request) else None
        if (known := failures.known(error)) is not None:
            return failures.answer(request, known)
        return server_error(request) if is_api(request) else None


class Compression(GZipMiddleware):
    """Compresses all but downloads: ranges count the file's uncompressed bytes."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if "Accept-Ranges" in response.headers:
            return response
        return super().process_response(request, response)


class BodyLimit:
    """Rejects too large a body by its Content-Length, before reading it.

    A chunked body without a length is rejected too.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            return refused_body(request, NO_LENGTH, status=411, code="no_length")
        limit = body_limit(request)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        return (
            too_large(request, limit) if length > limit else self.get_response(request)
        )


def body_limit(request: HttpRequest) -> int:
    """Maximum body size for this path."""
    if request.path_info in SIGN_IN_DOORS:
        return SIGN_IN_BYTES
    if UPLOADS.fullmatch(request.path_info) and not _is_json(request):
        return int(settings.MAX_UPLOAD_BYTES)
    if ARTIFACT.fullmatch(request.path_info):
        return int(settings.MAX_ADAPTER_BYTES)
    return int(settings.MAX_BODY_BYTES)


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """413 as JSON or as a page."""
    words = f"The request body is larger than the limit of {limit:,} bytes."
    return refused_body(request, words, status=413, code="too_large")


def refused_body(
    request: HttpRequest, words: str, *, status: int, code: str
) -> HttpResponse:
    """Reject a body without reading it: JSON for the API, else a page."""
    if is_api(request):
        return json_error(words, status_code=status, code=code)
    found = {"title": "Request rejected", "words": words}
    return render(request, "error.html", found, status=status)


class RowSecurity:
    """Makes the signed-in user's rows visible, and resets that afterwards."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            self._enter(request)
            return self.get_response(request)
        finally:
            row_security.reset()

    def _enter(self, request: HttpRequest) -> None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        user = (
            request.user
        )  # loading the user makes their rows visible, see accounts/backends.py
        if not user.is_authenticated:
            row_security.reset()
        elif request.path_info.startswith("/admin/") and user.is_staff:
            row_security.act_as_operator()


class SignInRequired:
    """Every page but sign-in requires a user, the admin an operator.

    The API returns 401 by itself.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/admin/") and _is_no_operator(request):
            raise PermissionDenied
        if request.user.is_authenticated or request.path_info.startswith(OPEN_PATHS):
            return self.get_response(request)
        target = f"{resolve_url(settings.LOGIN_URL)}?next={quote(page_of(request))}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)


class LargeBodies:
    """429 for who sends too many large bodies at once; frees the place at the end."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if is_large(request) and settings.SESSION_COOKIE_NAME in request.COOKIES:
                take_place(request, request.user)
            return self.get_response(request)
        except Refusal as refusal:
            status, code = refusal.status_code, refusal.code
            answer = refused_body(request, refusal.message, status=status, code=code)
            answer.headers["Retry-After"] = str(refusal.wait)
            return answer
        finally:
            if (place := getattr(request, "body_place", None)) is not None:
                place.close()


def _is_no_operator(request: HttpRequest) -> bool:
    return request.user.is_authenticated and not request.user.is_staff


def page_of(request: HttpRequest) -> str:
    """The page to return to after signing in.

    An htmx request names it in a header, a form in its referrer; the URLs they request
    are not pages.
    """
    if request.headers.get("HX-Request"):
        seen = request.headers.get("HX-Current-URL", "")
    elif request.method not in {"GET", "HEAD"}:
        seen = request.headers.get("Referer", "")
    else:
        return request.get_full_path()
    parts = urlsplit(seen)
    own = parts.netloc == request.get_host() and parts.path.startswith("/")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.path}{query}" if own else "/"


def _is_json(request: HttpRequest) -> bool:
    kind = str(request.META.get("CONTENT_TYPE", ""))
    return kind.startswith("application/json")


def _is_html(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")
