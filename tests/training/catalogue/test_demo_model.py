"""Preparing the demo's base model, in a checkout where nothing has run yet."""

from pathlib import Path

import pytest

from lora_pipeline.files import folders
from training.catalogue.demo_model import FetchFailed, fetch_demo_model


def test_the_first_command_of_a_new_checkout_may_be_this_one(
    settings, tmp_path, monkeypatch
):
    for name in (*folders.FOLDERS, "STATIC_ROOT"):
        monkeypatch.setattr(settings, name, tmp_path / "var" / name.lower())
    settings.VAR_DIR = tmp_path / "var"
    settings.TRAINER_PYTHON = Path("/nowhere/python")
    folders.make_own_folders.cache_clear()
    with pytest.raises(FetchFailed, match="install-trainer"):
        fetch_demo_model(print)
    assert (tmp_path / "var" / "models_dir").is_dir()
