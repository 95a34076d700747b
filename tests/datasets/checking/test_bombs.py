"""A small file that stands for a large one, in each container."""

import gzip
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.check import check_dataset
from datasets.services import create_dataset
from tests.datasets.checking.corpus.cases import parquet

ROW = {"prompt": "x" * 500, "completion": "y" * 500}
LINE = json.dumps(ROW).encode() + b"\n"
BOMBS = {
    "parquet": lambda: parquet(*[ROW] * 100_000),
    "gzip": lambda: gzip.compress(LINE * 100_000),
    "parquet in gzip": lambda: gzip.compress(parquet(*[ROW] * 100_000)),
}


@pytest.mark.parametrize("container", BOMBS)
def test_a_bomb_is_refused_and_takes_no_room(container, owner, tmp_path):
    content = BOMBS[container]()
    assert len(content) < 500_000 < 100_000_000 < len(LINE) * 100_000
    dataset = create_dataset(owner=owner, file=SimpleUploadedFile("f", content))
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.status == "error"
    assert dataset.fault_counts["unpacks_too_large"] == 1
    assert "more than 200 times" in dataset.validation_errors[-1]["message"]
    stored = sum(f.stat().st_size for f in Path(tmp_path).rglob("*") if f.is_file())
    assert stored < 1_000_000
