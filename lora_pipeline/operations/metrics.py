"""Prometheus metrics: the console's state, queried from the database at each scrape.

So any process can answer. Requests are counted per process; with several processes,
through the files in PROMETHEUS_MULTIPROC_DIR. No label contains user data.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lora_pipeline.operations.metrics_folder import MULTIPROCESS
from lora_pipeline.postgres import row_security

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "lora_pipeline"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
Row = tuple[list[str], float]
"""The label values of a metric, and its value."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_own = CollectorRegistry()
REQUESTS = Counter(
    f"{PREFIX}_http_requests",
    "HTTP requests by route and status.",
    ["route", "method", "status"],
    registry=_own,
)
DURATION = Histogram(
    f"{PREFIX}_http_request_seconds",
    "Time to produce a response, without sending it.",
    ["route"],
    buckets=SECONDS,
    registry=_own,
)


class Requests:
    """Counts requests by route name, never by URL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        route = route_of(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, str(response.status_code)).inc()
        DURATION.labels(route).observe(time.perf_counter() - began)
        return response


def route_of(request: HttpRequest) -> str:
    """The route's name, or one label for all unknown URLs."""
    match = request.resolver_match
    return "none" if match is None else match.view_name or match.route


class State(Collector):
    """The metrics read from the database."""

    def collect(self) -> Iterator[Metric]:
        with row_security.operator():
            for source in settings.METRIC_SOURCES:
                for name, (words, labels, rows) in import_string(source)().items():
                    yield _family(name, words, labels, rows)


def _family(
    name: str, words: str, labels: tuple[str, ...], rows: Iterable[Row]
) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(State())
    if os.environ.get(MULTIPROCESS):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(_own)
