"""A small file that stands for a large one, in each container."""

import base64
import gzip
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking import first_look, parquet_rows
from datasets.checking.check import check_dataset
from datasets.checking.sources import open_source
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


def read_rows(path: Path, limits: tuple[int, int]) -> subprocess.CompletedProcess:
    """The program that reads Parquet, as the console starts it."""
    command = [sys.executable, "-I", parquet_rows.__file__, path, *map(str, limits)]
    return subprocess.run(command, capture_output=True)


def test_the_first_look_at_parquet_takes_no_more_memory_than_a_request_may(tmp_path):
    """A dictionary of one value: 1 MB on disk, 230 MB as a batch of 256 rows."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet(*[{"prompt": "x" * 900_000, "completion": "y"}] * 300))
    assert path.stat().st_size < 2_000_000
    memory, rows = parquet_rows.FIRST_LOOK
    assert memory < 200 * 1024**2
    assert read_rows(path, (memory, rows)).returncode == 0
    assert read_rows(path, (memory, parquet_rows.WHOLE[1])).returncode != 0


def test_the_first_look_makes_no_objects_of_a_long_row(owner, monkeypatch):
    numbers = "[0" + ",0" * 2_000_000 + "]"
    row = {"prompt": "x", "completion": "y", "more": numbers}
    dataset = create_dataset(
        owner=owner, file=SimpleUploadedFile("f", parquet(*[row] * 3))
    )
    assert (
        dataset.first_look == "the first 0 examples; it reads 1,000,000 bytes at most"
    )
    with open_source(dataset.storage_path) as source:
        found = first_look.take_sample(source, float("inf"))
    assert (found.rows, found.stopped) == ([], "bytes")


def gzip_header(length: int, rest: bytes) -> bytes:
    """A gzip file whose name is that long."""
    return b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * length + b"\0" + rest[10:]


WHOLE = gzip.compress(LINE * 2)
NOTHING = gzip.compress(b"")
STAND_FOR_LITTLE = {
    "a name": lambda n: gzip_header(n, WHOLE),
    "parts without content": lambda n: NOTHING * (n // len(NOTHING)) + WHOLE,
    "parts of one byte": lambda n: (
        (NOTHING * 10_000 + gzip.compress(b" ")) * (n // 200_000) + WHOLE
    ),
    "blocks without content": lambda n: WHOLE[:10] + b"\x00\x00\x00\xff\xff" * (n // 5),
}


@pytest.mark.parametrize("name", STAND_FOR_LITTLE)
def test_a_gzip_that_stands_for_almost_nothing_is_not_read_to_its_end(name, owner):
    """5 GB of it kept a web process busy for an hour, in the first look."""
    content = STAND_FOR_LITTLE[name](4_000_000)
    began = time.process_time()
    dataset = create_dataset(owner=owner, file=SimpleUploadedFile("f", content))
    assert time.process_time() - began < 1
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.fault_counts == {"broken_gzip": 1}
    assert "bytes stand for" in dataset.validation_errors[0]["message"]


def test_what_hardly_packs_is_still_taken(owner):
    noise = base64.b85encode(random.Random(1).randbytes(1_000_000)).decode()
    noise = noise.replace('"', "").replace("\\", "")
    row = json.dumps({"prompt": noise, "completion": "y"}).encode() + b"\n"
    content = gzip.compress(row * 3, compresslevel=0)
    dataset = create_dataset(owner=owner, file=SimpleUploadedFile("f", content))
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.status == "ready"
