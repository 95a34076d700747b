"""No request takes more than 200 MB, in a real web process with rows of 5 MB."""

import json
import re
import time
import urllib.request
from pathlib import Path

import pytest

from tests.isolation.server import Server
from tests.trainer.fixtures import tiny_model

__all__ = ["tiny_model"]
MIB = 1024**2
MAKE = """
import json, struct
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from datasets.models import Dataset, DatasetStatistics
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import User
from training.models import BaseModel
user = User.objects.create(username="ada")
dataset = Dataset.objects.create(
    user=user, name="long", file_name="long.jsonl", status="ready",
    training_ready=True, total_training_pairs=60, total_validation_pairs=0)
DatasetStatistics.objects.create(
    dataset=dataset, base_model="x", exact=True, examples=60, turns=1, tokens=1,
    supervised_tokens=1, refused_by_template=0, last_answer_only=0, lengths=[],
    first_learned=[], last_end=[], measured_at=timezone.now())
many = [{"role": r, "content": "a"} for r in ("user", "assistant")] * 70_000
answer = {"role": "assistant", "content": "é😀 b" * 700_000}
long = [{"role": "user", "content": "Why? "}, answer]
rows = [json.dumps({"messages": m}, ensure_ascii=False) for m in (long, many)]
text = ("\\n".join(rows) + "\\n") * 30
default_storage.save(dataset.split_path("train"), ContentFile(text.encode()))
default_storage.save(dataset.index_path("train"), ContentFile(struct.pack("<Q", 0)))
BaseModel.objects.filter(pk="HuggingFaceTB/SmolLM2-135M-Instruct").update(path=MODEL)
key = create_api_key(owner=user, name="tests")[1]
print(json.dumps([str(dataset.pk), key, len(text)]))
"""
ASKED = [
    "examples?limit=50",
    "examples?limit=10&page=6",
    "example?example=60",
    "preflight?example=59",
    "preflight?example=60&max_length=8192",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("var"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def made(server, tiny_model) -> tuple[str, str]:
    code = MAKE.replace("path=MODEL", f"path={str(tiny_model)!r}")
    dataset, key, size = server.shell(code)
    assert size > 200 * MIB
    return dataset, key


def worker_of(server: Server) -> Path:
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return Path("/proc") / max(children, key=int)


def memory(process: Path, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", (process / "status").read_text())
    return int(found[1]) * 1024


@pytest.mark.parametrize("path", ASKED)
def test_a_request_takes_little_memory_and_time(path, server, made):
    dataset, key = made
    process = worker_of(server)
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{server.url}/api/datasets/{dataset}"
    urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()
    (process / "clear_refs").write_text("5")
    before, started = memory(process, "VmRSS"), time.monotonic()
    asked = urllib.request.Request(f"{url}/{path}", headers=headers)
    answer = json.load(urllib.request.urlopen(asked, timeout=120))
    seconds = time.monotonic() - started
    taken = memory(process, "VmHWM") - before
    print(f"{path}: {taken / MIB:.0f} MiB, {seconds:.1f} s")
    assert answer["success"]
    assert not answer["data"].get("missing")
    assert taken < 200 * MIB
    assert seconds < 5
