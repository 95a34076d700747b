"""What the console writes, nobody else on the machine reads."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as console
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lora_pipeline.operations.doctor import rights
from training.launchers import local
from training.management.commands.demo import Api

SETTINGS = """
import os
os.umask(0)
import django
django.setup()
from django.conf import settings
from lora_pipeline.files.folders import make_own_folders
make_own_folders()
str(settings.SECRET_KEY)
new = settings.VAR_DIR / "storage" / "new"
new.mkdir()
(new / "file").touch()
(settings.VAR_DIR / "base_url").write_text("x")
"""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def var(tmp_path) -> Path:
    """The var folder of a console that was started under a careless umask."""
    place = tmp_path / "deep" / "var"
    environment = {
        **os.environ,
        "LORA_PIPELINE_VAR": str(place),
        "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
    }
    command = [sys.executable, "-c", SETTINGS]
    subprocess.run(command, env=environment, check=True, cwd=console.BASE_DIR)
    return place


def test_a_new_console_is_closed_and_can_be_passed_through(var):
    assert mode_of(var) == 0o711
    modes = {str(p.relative_to(var)): mode_of(p) for p in var.rglob("*")}
    folders = {name for name in modes if (var / name).is_dir()}
    assert {modes[name] for name in folders} == {0o700}
    assert {modes[name] for name in set(modes) - folders} == {0o600}
    assert {"secret_key", "base_url", "storage/new/file", "runs"} <= set(modes)


def test_every_process_of_the_console_writes_for_itself(tmp_path):
    (tmp_path / "file").write_text("x")
    assert mode_of(tmp_path / "file") == 0o600


def test_stored_files_and_their_folders_are_closed(own_storage, settings):
    name = default_storage.save("adapters/one/two.zip", ContentFile(b"x"))
    path = Path(default_storage.path(name))
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)


def test_the_demos_archive_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(Api, "_open", lambda *_: io.BytesIO(b"archive"))
    target = tmp_path / "demo-adapter.zip"
    Api("http://console", "key").download("/api/adapters/x/download", target)
    assert mode_of(target) == 0o600


def test_static_files_are_open_to_nginx(tmp_path):
    environment = {**os.environ, "LORA_PIPELINE_VAR": str(tmp_path / "var")}
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
    subprocess.run(command, env=environment, check=True, cwd=console.BASE_DIR)
    static = tmp_path / "var" / "static"
    for path in (static, *static.rglob("*")):
        assert mode_of(path) == (0o755 if path.is_dir() else 0o644), path


def test_a_run_folder_is_closed(settings, tmp_path):
    settings.BASE_URL_FILE = tmp_path / "none"
    settings.TRAINER_PYTHON = Path(sys.executable)
    settings.TRAINER_PROGRAM = tmp_path / "trainer.py"
    settings.TRAINER_PROGRAM.write_text("open('made', 'w').write('x')")
    from uuid import uuid4

    what = local.Launch(job_id=uuid4(), run_id=uuid4(), token="run_x")
    local.launch(what)
    assert local._children[-1].wait(30) == 0
    folder = local.run_dir(what.job_id)
    assert (folder / "made").exists()
    for path in (folder, *folder.rglob("*")):
        assert mode_of(path) == (0o700 if path.is_dir() else 0o600), path


def test_the_doctor_names_what_others_can_read(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    (tmp_path / "demo-adapter.zip").write_text("x")
    (tmp_path / "static").mkdir(mode=0o755)
    [finding] = rights()
    assert finding.level == "ok"
    (tmp_path / "demo-adapter.zip").chmod(0o644)
    [finding] = rights()
    assert finding.level == "warning"
    assert "demo-adapter.zip" in finding.remedy
