"""CPU of one request by part; run inside the console's own environment.

Prints one JSON object, in milliseconds of CPU (medians): `whole` by operation, `parts`
by operation and part. Parts are exclusive: a query made while authenticating counts as
query, not as authentication.
"""

import io
import json
import statistics
import sys
import time
from collections import defaultdict
from contextlib import contextmanager

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from lora_pipeline.wsgi import application  # noqa: E402
from training.estimates import quote  # noqa: E402

ROUNDS = 200


class Parts:
    """Exclusive CPU time of nested parts."""

    def __init__(self):
        self.spent = defaultdict(float)
        self.stack = []
        self.mark = 0.0

    @contextmanager
    def part(self, name):
        self._charge()
        self.stack.append(name)
        try:
            yield
        finally:
            self._charge()
            self.stack.pop()

    def _charge(self):
        now = time.thread_time()
        if self.stack:
            self.spent[self.stack[-1]] += now - self.mark
        self.mark = now


parts = Parts()


def wrap(owner, name, part):
    original = getattr(owner, name)

    def wrapped(*args, **options):
        with parts.part(part):
            return original(*args, **options)

    setattr(owner, name, wrapped)


def query(execute, sql, params, many, context):
    with parts.part("queries"):
        return execute(sql, params, many, context)


def sql_of(environ_of):
    """The reading statements of one request, with their parameters."""
    seen = []

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT"):
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        answer = application(environ_of(), lambda status, headers: None)
        answer.close()
    return seen


def plain_sql(statements):
    """CPU of asking the same of the database and nothing else."""
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        with connection.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
                cursor.fetchall()
        times.append((time.thread_time() - began) * 1000)
    return statistics.median(times)


def whole(operations):
    """CPU of each whole request, all of them in turn, so that none is warmer."""
    times = defaultdict(list)
    for _ in range(ROUNDS):
        for name, environ_of in operations.items():
            environ = environ_of()
            began = time.thread_time()
            answer = application(environ, lambda status, headers: None)
            b"".join(answer)
            answer.close()
            times[name].append((time.thread_time() - began) * 1000)
    return {name: statistics.median(spent) for name, spent in times.items()}


def measured(environ_of):
    seen = defaultdict(list)
    for _ in range(ROUNDS):
        parts.spent.clear()
        with parts.part("middleware"):
            answer = application(environ_of(), lambda status, headers: None)
            b"".join(answer)
        answer.close()
        for name in ("middleware", "authentication", "DRF", "queries", "formula"):
            seen[name].append(parts.spent[name] * 1000)
    found = {name: statistics.median(times) for name, times in seen.items()}
    return found | {"plain SQL": plain_sql(sql_of(environ_of))}


def main(key, dataset):
    body = json.dumps(
        {
            "dataset_id": dataset,
            "preset_id": "balanced",
            "gpu_config": {"type": "A100-80GB", "count": 2},
            "hyperparameters": {
                "batch_size": 4,
                "epochs": 3,
                "learning_rate": 0.00005,
                "rank": 16,
            },
        }
    ).encode()
    factory = RequestFactory(HTTP_AUTHORIZATION=f"Bearer {key}", HTTP_HOST="localhost")

    def post(path):
        def environ():
            request = factory.post(path, body, content_type="application/json")
            return request.environ | {"wsgi.input": io.BytesIO(body)}

        return environ

    def get(path):
        return lambda: factory.get(path).environ

    operations = {
        "healthz": get("/healthz"),
        "estimate": post("/api/jobs/estimate"),
        "create": post("/api/jobs"),
        "list": get("/api/jobs"),
    }
    read = {name: made for name, made in operations.items() if name != "create"}
    found = {"whole": whole(read)}
    wrap(APIView, "dispatch", "DRF")
    wrap(APIView, "perform_authentication", "authentication")
    wrap(quote, "estimate_on", "formula")
    with connection.execute_wrapper(query):
        parts_of = {name: measured(made) for name, made in operations.items()}
    print(json.dumps(found | {"parts": parts_of}))


main(*sys.argv[1:])
