"""Folders that a closed temporary folder makes the embedded server keep elsewhere."""

import shutil
from pathlib import Path

import pytest

from lora_pipeline.postgres import embedded


@pytest.fixture
def own_server(tmp_path: Path):
    """The var folder of a server of the test's own; nothing of it stays behind."""
    var = tmp_path / "var"
    var.mkdir()
    yield var
    shutil.rmtree(embedded.find_places(var).root, ignore_errors=True)
