"""Importing the settings reads the environment and touches nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUIET = [
    [str(ROOT / "manage.py"), "help"],
    [str(ROOT / "manage.py"), "spectacular", "--file", os.devnull],
    ["-c", "import django; django.setup(); from training.domain import limits"],
]


@pytest.mark.parametrize("command", QUIET, ids=["help", "spectacular", "domain"])
def test_what_needs_no_database_makes_no_folder_and_starts_no_server(
    command: list[str], tmp_path: Path
):
    var = tmp_path / "var"
    place = {"LORA_PIPELINE_VAR": str(var), "PYTHONPATH": str(ROOT)}
    place["DJANGO_SETTINGS_MODULE"] = "lora_pipeline.settings"
    place["DATABASE_URL"] = ""
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | place,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not var.exists()


def test_the_first_connection_makes_the_folders_and_starts_the_server(tmp_path: Path):
    var = tmp_path / "var"
    place = {"LORA_PIPELINE_VAR": str(var), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "showmigrations", "training"],
        env=os.environ | place,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "0001_initial" in done.stdout, done.stderr
    assert {"uploads", "storage", "runs", "models"} <= {p.name for p in var.iterdir()}


def test_a_command_before_the_tables_are_there_says_so(tmp_path: Path):
    place = {"LORA_PIPELINE_VAR": str(tmp_path / "var"), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "create_api_key", "demo"],
        env=os.environ | place,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "The database does not have admin.0001_initial and" in done.stderr
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr
