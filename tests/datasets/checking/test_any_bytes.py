"""Random bytes and random JSON for a minute: a verdict always, never a 500."""

import gzip
import json
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from datasets.models import Dataset
from datasets.tasks import validate_dataset
from tests.datasets.checking.corpus import CORPUS

pytestmark = pytest.mark.long
SECONDS = 20
SETTLED = {"ready", "error"}
KEYS = some.sampled_from([
    "messages", "role", "content", "prompt", "completion", "instruction", "input",
    "output", "conversations", "from", "value", "turns", "conversation_id", "text",
    "weight", "tool_calls", "function", "name", "arguments", "tools", "_meta",
    "target_response", "current_user_input", "conversation_history", "system",
    "training_pairs", "conversation_metadata", "history", "data", "system_prompt",
])  # fmt: skip
WORDS = some.sampled_from(
    ["user", "assistant", "system", "tool", "human", "gpt", "", " ", "\x00", "Hi"]
)
SCALARS = (
    some.none() | some.booleans() | some.integers() | some.floats() | WORDS
    | some.text(max_size=20)
)  # fmt: skip
VALUES = some.recursive(
    SCALARS,
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(KEYS | some.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)
ROWS = some.lists(some.dictionaries(KEYS, VALUES, max_size=6) | VALUES, max_size=8)
LAYOUTS = some.sampled_from(["lines", "array", "values", "member", "gzip"])


def laid_out(rows, layout: str) -> bytes:
    plain = [json.dumps(row).encode() for row in rows]
    if layout == "array":
        return b"[" + b",".join(plain) + b"]"
    if layout == "values":
        return b" ".join(json.dumps(row, indent=2).encode() for row in rows)
    if layout == "member":
        return b'{"version": 1, "data": [' + b",\n".join(plain) + b"]}"
    lines = b"\n".join(plain)
    return gzip.compress(lines) if layout == "gzip" else lines


def settle(api, content: bytes) -> Dataset | None:
    """Upload and check as the API and the worker do; None when refused at once."""
    file = SimpleUploadedFile("any", content)
    answer = api.post("/api/datasets", {"file": file}, format="multipart")
    assert answer.status_code in (201, 400), answer.content
    if answer.status_code == 400:
        assert not content
        return None
    dataset_id = answer.json()["data"]["id"]
    validate_dataset(dataset_id=dataset_id)
    found = api.get(f"/api/datasets/{dataset_id}")
    assert found.status_code == 200
    data = found.json()["data"]
    assert data["status"] in SETTLED
    assert (data["status"] == "error") == bool(data["validation_errors"])
    assert "our_fault" not in data["fault_counts"], data
    if data["status"] == "ready":
        for part in ("examples", "preflight?example=1", "statistics"):
            answer = api.get(f"/api/datasets/{dataset_id}/{part}")
            assert answer.status_code == 200, answer.content
    return Dataset.objects.get(pk=dataset_id)


MUTATIONS = some.lists(
    some.tuples(some.integers(0, 2000), some.integers(0, 20), some.binary(max_size=8)),
    max_size=4,
)
SMALL = [case.content for case in CORPUS if len(case.content) < 5000]


def changed(content: bytes, changes) -> bytes:
    """A file with some bytes taken out and others put in."""
    found = bytearray(content)
    for place, length, put in changes:
        start = place % (len(found) + 1)
        found[start : start + length] = put
    return bytes(found)


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(some.binary(max_size=500), id="random bytes"),
        pytest.param(some.builds(laid_out, ROWS, LAYOUTS), id="random JSON"),
        pytest.param(
            some.builds(changed, some.sampled_from(SMALL), MUTATIONS),
            id="files of the corpus with bytes changed",
        ),
    ],
)
def test_a_verdict_always_and_never_a_500(contents, api, browser_of_owner):
    """A third of a minute each; every 20th is looked at as a page."""
    seen = []

    @settings(max_examples=50, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(contents)
    def judge(content: bytes) -> None:
        dataset = settle(api, content)
        seen.append(content)
        if dataset is not None and not len(seen) % 20:
            page = browser_of_owner.get(f"/datasets/{dataset.pk}")
            assert page.status_code == 200

    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        judge()
    assert len(seen) >= 50
    print(f"\n{len(seen)} files in {SECONDS} s")
