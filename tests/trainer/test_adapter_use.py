"""A finished adapter in use: resumed download, PEFT, merged model, side by side."""

import hashlib
import json
import subprocess
import urllib.request
import zipfile

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON

pytestmark = [pytest.mark.trainer, pytest.mark.long]
LOAD = """
import json, sys
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer, PreTrainedModel
folder, base = sys.argv[1:]
config = json.load(open(f"{folder}/adapter_config.json"))
assert config["base_model_name_or_path"] == "tests/tiny", config
config["base_model_name_or_path"] = base
json.dump(config, open(f"{folder}/adapter_config.json", "w"))
model = AutoPeftModelForCausalLM.from_pretrained(folder)
print(sum(p.numel() for n, p in model.named_parameters() if "lora_" in n))
"""


@pytest.fixture(scope="module")
def adapter(console):
    """A completed job's adapter, as the API shows it."""
    job = console.start_job(console.upload(40), epochs=4)
    ended = console.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    return console.api(f"/adapters/{ended['artifact_id']}")


def get(console, path, **headers) -> bytes:
    headers = {"Authorization": f"Bearer {console.key}", **headers}
    request = urllib.request.Request(f"{console.url}/api{path}", headers=headers)
    return urllib.request.urlopen(request, timeout=60).read()


def test_two_ranges_make_an_archive_that_loads_in_peft(
    console, adapter, tiny_model, tmp_path
):
    path = f"/adapters/{adapter['id']}/download"
    middle = adapter["size_bytes"] // 2
    first = get(console, path, Range=f"bytes=0-{middle - 1}")
    rest = get(console, path, Range=f"bytes={middle}-")
    assert len(first) == middle
    digest = hashlib.sha256(first + rest).hexdigest()
    assert digest == adapter["archive_sha256"]
    archive = tmp_path / "adapter.zip"
    archive.write_bytes(first + rest)
    zipfile.ZipFile(archive).extractall(tmp_path / "adapter")
    command = [TRAINER_PYTHON, "-I", "-c", LOAD, tmp_path / "adapter", tiny_model]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def test_its_origin_is_whole(adapter):
    origin = adapter["lineage"]
    assert len(origin["dataset"]["sha256"]) == 64
    assert origin["base_model"]["id"] == "tests/tiny"
    assert {"torch", "transformers", "trl", "peft"} <= set(origin["versions"])
    assert origin["hyperparameters"]["rank"] == 4
    assert adapter["training_loss"] > 0
    assert adapter["validation_loss"] > 0


def test_base_model_and_adapter_answer_the_same_question(console, adapter):
    path = f"/adapters/{adapter['id']}/questions"
    console.api(path, {"question": "question 3 of the lamp", "max_new_tokens": 16})

    def settled():
        [asked] = console.api(path)["questions"]
        return asked["status"] in {"done", "failed"}

    console.wait(settled, 90)
    [asked] = console.api(path)["questions"]
    assert asked["status"] == "done", asked["error"]
    assert asked["base_answer"] is not None
    assert asked["adapter_answer"] is not None
    assert asked["base_answer"] != asked["adapter_answer"]


def test_a_merged_model_is_made_and_downloaded(console, adapter, tmp_path):
    path = f"/adapters/{adapter['id']}/export"
    console.api(path, {})
    console.wait(lambda: console.api(path)["status"] in {"done", "failed"}, 90)
    export = console.api(path)
    assert export["status"] == "done", export["error"]
    body = get(console, f"{path}/download")
    assert hashlib.sha256(body).hexdigest() == export["archive_sha256"]
    archive = tmp_path / "merged.zip"
    archive.write_bytes(body)
    names = zipfile.ZipFile(archive).namelist()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(names)
    assert not [name for name in names if name.startswith("adapter_")]


def test_logits_and_greedy_tokens_are_the_trainers(tiny_model, tmp_path):
    """In float32 with one thread: PEFT within 1e-4, merged within 1e-3 of the model
    as the trainer left it, and the same 32 greedy tokens.
    """
    rows = [
        {"messages": [{"role": "user", "content": f"question {n} of the lamp"},
                      {"role": "assistant", "content": f"answer {n * 7 % 10}"}]}
        for n in range(32)
    ]  # fmt: skip
    for split in ("train", "validation"):
        lines = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / f"{split}.jsonl").write_text(lines)
    script = ROOT / "tests" / "trainer" / "logits.py"
    done = subprocess.run(
        [TRAINER_PYTHON, "-I", script, ROOT / "training" / "trainer", tiny_model,
         tmp_path],
        capture_output=True, text=True, env={"OMP_NUM_THREADS": "1", "HOME": "/tmp"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["changed_by_training"] > 0.1
    assert found["peft"]["difference"] <= 1e-4
    assert found["merged"]["difference"] <= 1e-3
    assert len(found["tokens"]) == 32
    assert found["peft"]["tokens"] == found["tokens"]
    assert found["merged"]["tokens"] == found["tokens"]
