"""What a task wrote on the way goes, even if its worker was killed."""

import os
import time
from pathlib import Path

import pytest

from lora_pipeline.files.scratch import remove_scratch, scratch_folder
from lora_pipeline.operations import safety


@pytest.fixture
def uploads(tmp_path: Path, settings) -> Path:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    settings.UPLOAD_DIR.mkdir()
    return settings.UPLOAD_DIR


def killed(name: str) -> None:
    """A process that dies while its task writes."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    with scratch_folder(name) as folder:
        (folder / "merged.zip").write_bytes(b"x" * 1000)
        os._exit(9)


def test_a_worker_removes_what_any_killed_task_left(uploads: Path) -> None:
    killed("adapter-1")
    killed("dataset-2")
    levels = [(finding.level, finding.words) for finding in safety.scratch()]
    assert levels[0][0] == "warning"
    assert "2 folders" in levels[0][1]
    with scratch_folder("adapter-3") as running:
        remove_scratch()
        assert list(uploads.iterdir()) == [running]
    assert [finding.level for finding in safety.scratch()] == ["ok"]


def test_a_folder_that_was_made_this_moment_is_left(uploads: Path) -> None:
    made = uploads / "adapter-1.x.scratch"
    made.mkdir()
    remove_scratch()
    assert made.exists()
    before = time.time() - 3600
    os.utime(made, (before, before))
    remove_scratch()
    assert not made.exists()
