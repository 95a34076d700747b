"""The URL map with its parameters filled: what to ask for, as whom.

A new address is walked without a word here as long as its parameters are known: a
folder and a name in PARAMETERS. One without parameters needs a line in OPEN, which says
the ids that it takes in its query or body. The tests fail until that is so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.isolation.world import STEP

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
JOBS = ("running_job", "done_job")
DATASETS = ("dataset", "deleted_dataset")
# (the folder before it, the parameter) -> the kinds of things whose ids are tried.
PARAMETERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("keys", "key_id"): ("key",),
    ("sessions", "handle"): ("session",),
    ("datasets", "dataset_id"): DATASETS,
    ("datasets", "pk"): DATASETS,
    ("jobs", "job_id"): JOBS,
    ("jobs", "pk"): JOBS,
    ("adapters", "adapter_id"): ("adapter",),
    ("adapters", "pk"): ("adapter",),
    ("notifications", "notice_id"): ("notice",),
    ("notifications", "pk"): ("notice",),
    ("webhooks", "webhook_id"): ("webhook",),
    ("webhooks", "pk"): ("webhook",),
    ("deliveries", "delivery_id"): ("delivery",),
    ("deliveries", "pk"): ("delivery",),
    ("runs", "run_id"): ("attempt",),
}
# Parameters that name no row: every value of them is tried.
VALUES: dict[str, tuple[str, ...]] = {
    "part": ("original", "train", "validation"),
    "split": ("train", "validation"),
    "step": (str(STEP),),
    # the admin's
    "object_id": ("{done_job}", "{user}"),
    "id": ("{user}",),
    "app_label": ("training",),
    "url": ("nothing",),
    "content_type_id": ("1",),
}
GPU = {"type": "CPU", "count": 1}
HYPERPARAMETERS = {"batch_size": 4, "epochs": 3, "learning_rate": 5e-5, "rank": 16}
ESTIMATE = {"gpu_config": GPU, "hyperparameters": HYPERPARAMETERS}
# What a request must carry to get as far as asking whose it is, by the route's name.
BODIES: dict[str, dict[str, Any]] = {
    "run-events": {"events": []},
    "api-job-detail": {"name": "new"},
    "api-job-move": {"gpu_config": GPU},
    "api-job-priority": {"priority": "low"},
    "api-job-continue-from": {"step": STEP},
    "job-move": {"gpu_type": "CPU", "gpu_count": 1},
    "job-rename": {"name": "new"},
    "job-continue": {"step": STEP},
    "checkpoint-free": {"step": STEP},
    "adapter-rename": {"name": "new"},
    "api-adapter-detail": {"name": "new"},
    "adapter-ask": {"question": "Who?", "max_new_tokens": 5},
    "api-adapter-questions": {"question": "Who?"},
    "api-dataset-detail": {"name": "new"},
    "api-dataset-statistics": {"base_model": "HuggingFaceTB/SmolLM2-135M-Instruct"},
    "dataset-measure": {"base_model": "HuggingFaceTB/SmolLM2-135M-Instruct"},
    "dataset-edit": {"name": "new", "validation_percent": 10, "split_seed": 1},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request: the route that it goes to, and what it carries."""

    name: str
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def names_something(self) -> bool:
        """Whether an id is in it, in path, query or body."""
        return "{" in f"{self.path}{list(self.body.values())}"

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.name}) {self.body or ''}"

    def for_ids(self, ids: dict[str, str]) -> "Ask":
        """The same request with `{kind}` replaced by the id of that kind."""
        return Ask(
            name=self.name,
            method=self.method,
            path=_filled(self.path, ids),
            body=_filled(self.body, ids),
            headers=self.headers,
        )


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda m: ids[m[1]], value)
    if isinstance(value, dict):
        return {name: _filled(inner, ids) for name, inner in value.items()}
    return [_filled(v, ids) for v in value] if isinstance(value, list) else value


# Addresses without parameters: the ids that they take in query or body, "{kind}" for an
# id; () for those that take none. POST is sent only where a line says so; GET always.
OPEN: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "healthz": (),
    "readyz": (),
    "metrics": (),
    "sessions": (),
    "sessions-end-others": (("POST", "", {}),),
    "home": (),
    "sign-in": (),
    "sign-out": (),
    "password": (("POST", "", {"old_password": "x"}),),
    "password-forgotten": (),
    "password-new": (),
    "keys": (("POST", "", {"name": "mine", "scope": "read"}),),
    "datasets": (("GET", "?deleted=1", {}), ("GET", "?search=quok", {})),
    "dataset-upload": (("POST", "", {"name": "x"}),),
    "configure": (
        ("GET", "?datasetId={dataset}", {}),
        ("POST", "", {"datasetId": "{dataset}"}),
        ("POST", "", {"datasetId": "{dataset}", "start": ""}),
    ),
    "jobs": (
        ("GET", "?dataset={dataset}", {}),
        ("GET", "?status=completed&search=quok", {}),
    ),
    "jobs-live": tuple(("GET", f"?id={{{kind}}}", {}) for kind in JOBS),
    "notifications": (("GET", "?read=0", {}),),
    "notifications-read-all": (("POST", "", {}),),
    "notification-settings": (("POST", "", {"email": "me@example.com"}),),
    "email-test": (("POST", "", {}),),
    "address-confirm": (("GET", "?token=nonsense", {}),),
    "webhook-add": (("POST", "", {"url": "http://127.0.0.1/"}),),
    "deliveries": (("GET", "?status=failed", {}),),
    "adapters": (("GET", "?search=quok", {}),),
    "compare": (("GET", "?job={done_job}&job={running_job}", {}),),
    "costs": (("GET", "?month=all&search=quok", {}),),
    "costs-csv": (("GET", "?month=all", {}),),
    "api-docs": (),
    "schema": (),
    "api-gpus": (),
    "api-presets": (),
    "api-base-models": (),
    "api-costs": (),
    "api-quotas": (),
    "api-notification-preferences": (("PUT", "", {"preferences": []}),),
    "api-dataset-list": (
        ("GET", "?deleted=true", {}),
        ("GET", "?search=quok", {}),
        ("POST", "", {"file_name": "a.jsonl", "file_size": 5}),
    ),
    "api-adapter-list": (("GET", "?search=quok", {}),),
    "api-job-list": (
        ("GET", "?dataset={dataset}&search=quok", {}),
        ("POST", "", {**ESTIMATE, "dataset_id": "{dataset}", "preset_id": "fast"}),
    ),
    "api-job-suggest": (("POST", "", {"dataset_id": "{dataset}"}),),
    "api-job-estimate": (("POST", "", {**ESTIMATE, "dataset_id": "{dataset}"}),),
    "api-notification-list": (("GET", "?read=false", {}),),
    "api-notification-read-all": (("POST", "", {}),),
    "api-webhook-list": (("POST", "", {"url": "http://127.0.0.1/"}),),
    "api-delivery-list": (("GET", "?status=failed", {}),),
}


class NotCovered(AssertionError):
    """A route that the walk cannot fill; the words say what to add."""


def url_map() -> Iterator[tuple[str, str]]:
    """Every address as (name, pattern)."""
    yield from _walk(get_resolver().url_patterns, "/")


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str
) -> Iterator[tuple[str, str]]:
    for found in patterns:
        whole = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _walk(found.url_patterns, whole)
        else:
            yield found.name or "", whole


def is_admin(pattern: str) -> bool:
    return pattern.startswith("/admin/")


PLACE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)")


def paths(pattern: str) -> list[str]:
    """The pattern with each parameter as `{kind}`, in every way to be tried."""
    pattern = pattern.replace("^", "").replace("$", "")
    pieces, choices, end = [], [], 0
    for place in PLACE.finditer(pattern):
        folder = pattern[: place.start()].rstrip("/").rpartition("/")[2]
        pieces.append(pattern[end : place.start()])
        choices.append(fill(folder, place[1] or place[2], pattern))
        end = place.end()
    return [
        "".join(a + b for a, b in zip(pieces, chosen, strict=True)) + pattern[end:]
        for chosen in product(*choices)
    ]


def fill(folder: str, name: str, pattern: str) -> tuple[str, ...]:
    """What a parameter is tried with. Raises NotCovered for an unknown one."""
    if kinds := PARAMETERS.get((folder, name)):
        return tuple(f"{{{kind}}}" for kind in kinds)
    if values := VALUES.get(name):
        return values
    raise NotCovered(
        f"{pattern}: the parameter {name!r} after {folder!r} is not known. Add "
        f"({folder!r}, {name!r}) to PARAMETERS in tests/isolation/routes.py with the "
        f"kind of thing it names (made in tests/isolation/world.py), or {name!r} to "
        "VALUES if it names no row."
    )


def has_parameters(pattern: str) -> bool:
    return PLACE.search(pattern) is not None


def owned() -> list[Ask]:
    """Requests for one thing of somebody's: routes with parameters, every method."""
    return [
        Ask(name=name, method=method, path=path, body=BODIES.get(name, {}), headers=h)
        for name, pattern in url_map()
        if has_parameters(pattern) and not is_admin(pattern)
        for path in paths(pattern)
        for method in METHODS
        for h in _looks(method, path)
    ]


def _looks(method: str, path: str) -> tuple[dict[str, str], ...]:
    """Pages answer htmx with a part of them, by code of its own."""
    if method == "GET" and not path.startswith("/api/"):
        return {}, {"HX-Request": "true"}
    return ({},)


def open_to_all() -> list[Ask]:
    """Requests for lists and forms, with ids in query or body where they take some."""
    found = []
    for name, pattern in url_map():
        if has_parameters(pattern) or is_admin(pattern):
            continue
        if name not in OPEN:
            raise NotCovered(
                f"{pattern} ({name}) takes no parameters and is not in OPEN in "
                "tests/isolation/routes.py: add its name with the ids that it takes "
                "in its query or body, or with () if it takes none."
            )
        for method, query, body in (("GET", "", {}), *OPEN[name]):
            for headers in _looks(method, pattern):
                found.append(
                    Ask(
                        name=name,
                        method=method,
                        path=pattern + query,
                        body=body,
                        headers=headers,
                    )
                )
    return found


def of_operators() -> list[Ask]:
    """Requests for every page of the admin."""
    return [
        Ask(name=name, method=method, path=path)
        for name, pattern in url_map()
        if is_admin(pattern)
        for path in paths(pattern)
        for method in ("GET", "POST")
    ]
