"""Monitoring endpoints: liveness, readiness and metrics.

They need no sign-in. `/healthz` checks only this process, `/readyz` names what is
missing in general terms, `/metrics` needs its token or a request from this machine.
They only read, so no CSRF check has to read the body of an unknown caller.
"""

import secrets
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from lora_pipeline.accounts.authentication import bearer_token
from lora_pipeline.operations import health, metrics
from lora_pipeline.postgres.backend.patience import answers_within

READY_SECONDS = 5.0
DATABASE_SECONDS = 3.0
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class ProbesFirst:
    """Answers probes before anything that could need the database or a host name.

    A load balancer asks by the machine's address, whatever the console's name is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (probe := PROBES.get(request.path_info)) is None:
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)
        return probe(request)


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Liveness: this process takes requests."""
    return HttpResponse("ok\n", content_type="text/plain")


@csrf_exempt
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: 200 if all parts work, else 503 with what is missing."""
    missing = _recent.get()
    status = 503 if missing else 200
    return JsonResponse({"ready": not missing, "missing": missing}, status=status)


@csrf_exempt
@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Prometheus's text format."""
    if not may_read_figures(request):
        words = "Send the METRICS_TOKEN as a bearer token.\n"
        return HttpResponse(words, status=403, content_type="text/plain")
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def may_read_figures(request: HttpRequest) -> bool:
    """Whether the request has the token or, if none is set, is local and unproxied.

    Behind a proxy on this machine every client would look local.
    """
    if expected := settings.METRICS_TOKEN:
        given = bearer_token(request) or ""
        return secrets.compare_digest(given.encode(), expected.encode())
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


class Recent:
    """Cached result, so that frequent probes are cheap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._until = 0.0

    def get(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._until:
                with answers_within(DATABASE_SECONDS):
                    self._found = health.faults()
                self._until = time.monotonic() + READY_SECONDS
            return self._found

    def forget(self) -> None:
        self._until = 0.0


_recent = Recent()
PROBES = {"/healthz": alive, "/readyz": ready, "/metrics": figures}
