"""Preparing the demo's base model, in a checkout where nothing has run yet."""

from pathlib import Path

import pytest

from lora_pipeline.files import folders
from training.catalogue.demo_model import FetchFailed, fetch_demo_model
from training.models import BaseModel


def test_the_first_command_of_a_new_checkout_may_be_this_one(settings, tmp_path):
    for name in (*folders.FOLDERS, "STATIC_ROOT"):
        setattr(settings, name, tmp_path / "var" / name.lower())
    settings.VAR_DIR = tmp_path / "var"
    settings.TRAINER_PYTHON = Path("/nowhere/python")
    folders.make_own_folders.cache_clear()
    with pytest.raises(FetchFailed, match="install-trainer"):
        fetch_demo_model(print)
    assert (tmp_path / "var" / "models_dir").is_dir()


def test_a_model_of_ours_is_found_where_the_console_was_moved_to(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "clone" / "models"
    own = settings.MODELS_DIR / "tiny"
    own.mkdir(parents=True)
    model = BaseModel(path=BaseModel.path_of(own))
    elsewhere = BaseModel(path=BaseModel.path_of(tmp_path / "other"))
    assert (model.folder, elsewhere.folder) == (own, tmp_path / "other")
    moved = (tmp_path / "clone").rename(tmp_path / "moved")
    settings.MODELS_DIR = moved / "models"
    assert model.folder == moved / "models" / "tiny"
    assert model.folder.is_dir()
    assert elsewhere.folder == tmp_path / "other"
    assert BaseModel(path="").folder is None
