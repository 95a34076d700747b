"""A file of 2 GB: checked whole, in at most 150 MB above the idle worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.test_datasets import prose, rows_of, tokenizer_folder

pytestmark = pytest.mark.long
SIZE = int(os.environ.get("LARGE_FILE_BYTES", 2_000_000_000))
MOST_MB = 150
ROOT = Path(__file__).resolve().parents[3]
# In a process as bare as an idle worker: the memory that it has before, then the peak.
CODE = """
import json, sys
from django.conf import settings
from django.core.files.storage import default_storage
from datasets.models import Dataset
from datasets.tasks import validate_dataset
from lora_pipeline.models import User
from training.models import BaseModel

def memory(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1]) / 1024

owner, _ = User.objects.get_or_create(username="owner")
BaseModel.objects.update_or_create(id=settings.DEFAULT_BASE_MODEL,
    defaults={"name": "a", "source": "folder", "path": %(folder)r})
dataset = Dataset.objects.create(user=owner, name="large", file_name="large.jsonl",
    status="validating", storage_path="large", file_size=default_storage.size("large"))
idle = memory("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
validate_dataset(dataset_id=str(dataset.pk))
peak = memory("VmHWM")
dataset.refresh_from_db()
print(json.dumps({"idle": idle, "peak": peak, "status": dataset.status,
    "pairs": dataset.total_training_pairs, "held": dataset.total_validation_pairs,
    "tokens": dataset.total_tokens, "exact": dataset.tokens_exact,
    "sha256": dataset.sha256, "counts": dataset.fault_counts}))
"""


def test_two_gigabytes_in_150_megabytes(tmp_path):
    var = tmp_path / "var"
    file = var / "storage" / "large"
    file.parent.mkdir(parents=True)
    text = prose()
    folder = tokenizer_folder(text, tmp_path)
    count = write(file, text)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LORA_PIPELINE") and name != "DATABASE_URL"
    } | {"LORA_PIPELINE_VAR": str(var), "LORA_PIPELINE_DATABASE_ROLE": "owner"}
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "migrate", "-v", "0"], env=environment, check=True)
    code = CODE % {"folder": str(folder)}
    done = subprocess.run(
        [*manage, "shell", "-v", "0", "-c", code], env=environment, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    grown = found["peak"] - found["idle"]
    words = f"{SIZE / 1e9:.1f} GB, {count:,} rows"
    print(f"\n{words}: {grown:.0f} MB above idle ({found['idle']:.0f} MB)")
    assert found["status"] == "ready"
    assert found["pairs"] + found["held"] == count
    assert found["exact"]
    assert grown <= MOST_MB


def write(file: Path, text: str) -> int:
    """Rows of 2 kB, each with a number of its own, so that none is a duplicate."""
    rows = rows_of(text, 2_000, 4_000_000)
    size = count = 0
    with file.open("wb") as out:
        while size < SIZE:
            for row in rows:
                count += 1
                made = row.replace(b'"content": "', b'"content": "%d ' % count, 1)
                size += out.write(made)
    return count
