"""Commands remove what is theirs, and refuse where a row, a mark or a mount is gone."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lora_pipeline.files.secret import kept_secret
from lora_pipeline.operations import doctor, metrics_folder, safety
from lora_pipeline.operations.backup import put_back
from lora_pipeline.operations.backup.manifest import BackupRefused, Entry, Manifest
from lora_pipeline.postgres.cluster import find_or_make
from lora_pipeline.postgres.places import Places


def see(monkeypatch, tables: list[str]) -> None:
    """A database of these tables."""
    seen = SimpleNamespace(table_names=lambda: tables)
    monkeypatch.setattr(put_back, "connection", SimpleNamespace(introspection=seen))


def test_a_restore_leaves_another_programs_tables(monkeypatch) -> None:
    see(monkeypatch, ["invoices", "customers"])
    with pytest.raises(BackupRefused, match=r"2 tables .* such as customers"):
        put_back.require_own_database()


@pytest.mark.parametrize("tables", [[], ["users", "lora_pipeline_user"]])
def test_a_restore_takes_an_empty_database_or_its_own(monkeypatch, tables) -> None:
    see(monkeypatch, tables)
    put_back.require_own_database()


def test_a_restore_that_has_no_room_changes_nothing(settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    manifest = Manifest(created_at="2026-11-24", migrations=[])
    put_back.require_disk_for(manifest)
    manifest.files["storage/a"] = Entry(size_bytes=10**18, sha256="")
    with pytest.raises(BackupRefused, match="Make room first"):
        put_back.require_disk_for(manifest)


def test_only_the_metrics_own_files_are_begun_anew(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(metrics_folder.MULTIPROCESS, "")
    folder = tmp_path / "metrics"
    metrics_folder.use(folder)
    for name in ("counter_1.db", "notes.txt"):
        (folder / name).write_text("x")
    metrics_folder.use(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_secret_is_made_once_however_many_ask(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    code = (
        "import sys; from pathlib import Path; "
        "from lora_pipeline.files.secret import kept_secret; "
        "print(kept_secret(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(path)]
    asked = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    found = {process.communicate()[0].decode().strip() for process in asked}
    assert found == {path.read_text()}
    assert [one.name for one in path.parent.iterdir()] == ["secret_key"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_was_never_written_is_made(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.touch()
    assert len(kept_secret(path)) > 40


@pytest.mark.parametrize(
    ("place", "level"), [("/tmp/x", "warning"), ("/var/tmp", "warning"), ("/srv", "ok")]
)
def test_doctor_says_where_a_cleaner_comes_by(settings, place, level) -> None:
    settings.VAR_DIR = settings.MODELS_DIR = Path(place)
    assert {finding.level for finding in safety.places()} == {level}


@pytest.mark.parametrize(
    ("version", "passwords", "words"),
    [
        ("17", True, "made by PostgreSQL 17"),
        ("18", False, "its passwords are missing"),
        ("", True, "has files but no PG_VERSION"),
        (None, True, "belongs to a database that is not in"),
    ],
)
def test_doctor_names_what_is_wrong_with_the_database_and_changes_nothing(
    tmp_path, monkeypatch, version, passwords, words
) -> None:
    """As `DatabaseRefused` reaches it through Django's connection."""
    root = tmp_path / "postgres"
    data = root / "data"
    if version is not None:
        data.mkdir(parents=True)
        (data / "base").write_text("rows")
    if version:
        (data / "PG_VERSION").write_text(version)
    kept = tmp_path / "postgres-passwords.json"
    if passwords:
        kept.write_text('{"postgres": "x", "lora_pipeline": "y"}')
    place = Places(root=root, socket=root, binaries=root, uid=None, gid=None,
                   passwords=kept)  # fmt: skip
    before = sorted(map(str, tmp_path.rglob("*")))
    away = SimpleNamespace(ensure_connection=lambda: find_or_make(place))
    monkeypatch.setattr(doctor, "connection", away)
    monkeypatch.setattr(doctor.health, "database", lambda: "it does not answer")
    first = next(doctor.examine())
    assert (first.part, first.level) == ("database", "fault")
    assert words in first.words
    assert sorted(map(str, tmp_path.rglob("*"))) == before
