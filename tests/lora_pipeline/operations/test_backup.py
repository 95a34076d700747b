"""What a backup promises, and what a restore refuses."""

import json
import shutil
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lora_pipeline.files.folders import files_below
from lora_pipeline.operations.backup import manifest as manifests
from lora_pipeline.operations.backup import put_back, take
from lora_pipeline.operations.backup.file_sets import Storage, areas
from lora_pipeline.operations.backup.manifest import BackupRefused, Manifest, describe
from lora_pipeline.operations.backup.take import Copies
from tests.factories import DatasetFactory


def made(folder: Path, **changes) -> Manifest:
    """A small backup of a text file, finished."""
    (folder / "storage").mkdir(parents=True)
    (folder / "storage" / "a").write_text("one")
    values = {"created_at": "2026-11-24", "migrations": ["training.0001_initial"]}
    manifest = Manifest(**values | changes)
    manifest.files["storage/a"] = describe(folder / "storage" / "a")
    manifest.write(folder)
    return manifest


def test_a_whole_backup_verifies(tmp_path):
    made(tmp_path)
    manifests.verify(tmp_path, manifests.read_manifest(tmp_path))


@pytest.mark.parametrize("content", ["two", "longer", None])
def test_a_changed_or_missing_file_is_found(tmp_path, content):
    manifest = made(tmp_path)
    file = tmp_path / "storage" / "a"
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(BackupRefused, match=r"storage/a (is|does not)"):
        manifests.verify(tmp_path, manifest)


def test_a_file_outside_the_backup_is_refused(tmp_path):
    manifest = made(tmp_path / "backup")
    (tmp_path / "secret").write_text("x")
    manifest.files["../secret"] = describe(tmp_path / "secret")
    with pytest.raises(BackupRefused, match="outside"):
        manifests.verify(tmp_path / "backup", manifest)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layout": 1}'])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / manifests.NAME).write_text(text)
    with pytest.raises(BackupRefused, match="not a complete backup"):
        manifests.read_manifest(tmp_path)


def test_another_layout_is_refused(tmp_path):
    made(tmp_path)
    found = json.loads((tmp_path / manifests.NAME).read_text()) | {"layout": 99}
    (tmp_path / manifests.NAME).write_text(json.dumps(found))
    with pytest.raises(BackupRefused, match="layout 99"):
        manifests.read_manifest(tmp_path)


def test_a_backup_of_a_newer_console_is_refused(tmp_path):
    manifest = made(tmp_path, migrations=["training.9999_later"])
    with pytest.raises(BackupRefused, match="9999_later"):
        put_back.require_known(manifest)


def test_an_existing_target_is_refused(tmp_path):
    with pytest.raises(BackupRefused, match="Use a new folder"):
        take.back_up(tmp_path, say=print)


def test_a_second_pass_brings_what_is_new_and_what_changed(tmp_path):
    default_storage.save("datasets/a", ContentFile(b"one"))
    copies = Copies(Storage(), tmp_path / "copies")
    copies.bring(copies.area.paths())
    default_storage.delete("datasets/a")
    default_storage.save("datasets/a", ContentFile(b"other"))
    default_storage.save("datasets/b", ContentFile(b"two"))
    assert copies.bring(["datasets/a", "datasets/b", "datasets/c"]) == ["datasets/c"]
    kept = {p.name: p.read_bytes() for p in (tmp_path / "copies/datasets").iterdir()}
    assert kept == {"a": b"other", "b": b"two"}


def test_what_was_removed_and_is_not_named_is_left_out(tmp_path):
    for name in ("a", "b", "c"):
        default_storage.save(name, ContentFile(b"x"))
    copies = Copies(Storage(), tmp_path / "copies")
    copies.bring(copies.area.paths())
    default_storage.delete("a")
    default_storage.delete("b")
    copies.forget_removed({"b"})
    assert set(copies.entries) == {"b", "c"}
    assert not (tmp_path / "copies/a").exists()


@pytest.mark.django_db
def test_a_file_that_the_database_names_and_nobody_has_is_told(tmp_path):
    dataset = DatasetFactory(storage_path="datasets/gone", status="error")
    copies = [Copies(area, tmp_path / area.name) for area in areas()]
    assert take._bring_named(copies) == ["storage/datasets/gone"]
    default_storage.save(dataset.storage_path, ContentFile(b"here"))
    assert take._bring_named(copies) == []


def test_a_checkpoint_removed_during_the_walk_is_left_out(settings, tmp_path):
    settings.RUNS_DIR = tmp_path
    for step in (20, 40, 60):
        folder = tmp_path / "a-job" / "checkpoints" / f"checkpoint-{step}"
        (folder / "deeper").mkdir(parents=True)
        (folder / "weights").write_text("w")
        (folder / "deeper" / "state").write_text("s")
    (tmp_path / "a-job" / "spec.json").write_text("{}")
    runs = next(area for area in areas() if area.name == "runs")
    assert len(list(runs.paths())) == 6

    paths = runs.paths()
    first = next(paths)
    shutil.rmtree(tmp_path / "a-job" / "checkpoints")
    # What was listed before may still be told; it is found missing when it is opened.
    assert len({Path(path).parts[2] for path in (first, *paths)}) == 1


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError):
        list(files_below(tmp_path / "file"))
