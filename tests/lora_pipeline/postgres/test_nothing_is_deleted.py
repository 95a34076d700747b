"""No state of the folders makes a command remove a database or its passwords."""

import json
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lora_pipeline.postgres import cluster, keeper, places, refusals, server
from lora_pipeline.postgres.places import Places
from lora_pipeline.postgres.refusals import DatabaseRefused

SECRETS = {"postgres": "one", "lora_pipeline": "two"}


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A var folder as the server's account may enter it."""
    var = tmp_path / "var"
    var.mkdir(mode=0o711)
    return var


@pytest.fixture
def here(var: Path, monkeypatch) -> Places:
    """Its places, where a new database is made of one file."""
    root = var / "postgres"
    root.mkdir()

    def initialise(given: Places, password: str) -> None:
        (given.root / cluster.UNFINISHED).mkdir()
        (given.root / cluster.UNFINISHED / "PG_VERSION").write_text("18\n")

    monkeypatch.setattr(cluster, "initialise", initialise)
    return Places(root=root, socket=root / "socket", binaries=root, uid=None, gid=None,
                  passwords=var / "postgres-passwords.json")  # fmt: skip


def plant(here: Places, *, version: str = "18", passwords: bool = True) -> None:
    """A database with a file of somebody's, and its passwords."""
    here.data.mkdir()
    (here.data / "base").write_text("rows")
    if version:
        (here.data / "PG_VERSION").write_text(f"{version}\n")
    if passwords:
        here.passwords.write_text(json.dumps(SECRETS))


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_database_needs_no_marker_of_ours(here: Places) -> None:
    plant(here)
    before = everything(here.root.parent)
    assert cluster.find_or_make(here) == SECRETS
    assert everything(here.root.parent) == before


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ({"passwords": False}, "passwords are missing"),
        ({"version": ""}, "no PG_VERSION"),
        ({"version": "", "passwords": False}, "no PG_VERSION"),
        ({"version": "17"}, "made by PostgreSQL 17"),
        ({"version": "19"}, "manage.py database upgrade"),
    ],
)
def test_what_is_half_there_is_refused_and_kept(here: Places, planted, words) -> None:
    plant(here, **planted)
    before = everything(here.root.parent)
    with pytest.raises(DatabaseRefused, match=words) as refused:
        cluster.find_or_make(here)
    assert str(here.data) in str(refused.value)
    assert everything(here.root.parent) == before


def test_passwords_without_their_database_are_refused_and_kept(here: Places) -> None:
    here.passwords.write_text(json.dumps(SECRETS))
    with pytest.raises(DatabaseRefused, match="not mounted") as refused:
        cluster.find_or_make(here)
    assert str(here.data) in str(refused.value)
    assert everything(here.root.parent) == {
        "postgres-passwords.json": json.dumps(SECRETS).encode()
    }


def test_only_what_initdb_never_finished_is_begun_anew(here: Places) -> None:
    passwords = cluster.find_or_make(here)
    assert set(passwords) == set(SECRETS)
    assert not (here.root / cluster.UNFINISHED).exists()
    assert cluster.find_or_make(here) == passwords


def test_a_first_start_stopped_before_the_passwords_had_their_name(here) -> None:
    plant(here, passwords=False)
    here.passwords.with_suffix(".new").write_text(json.dumps(SECRETS))
    assert cluster.find_or_make(here) == SECRETS
    assert json.loads(here.passwords.read_text()) == SECRETS


def test_a_first_start_stopped_before_the_database_had_its_name(here: Places) -> None:
    here.passwords.with_suffix(".new").write_text(json.dumps(SECRETS))
    assert cluster.find_or_make(here) != SECRETS


def test_a_file_copied_from_a_running_server_is_refused(here, tmp_path: Path) -> None:
    plant(here)
    original = tmp_path / "original"
    original.mkdir()
    (original / "PG_VERSION").write_text("18")
    (here.data / "postmaster.pid").write_text(f"1\n{original}\n")
    with pytest.raises(DatabaseRefused, match="copied from") as refused:
        server.require_no_torn_copy(here.data)
    assert str(original) in str(refused.value)
    original.rename(tmp_path / "gone")  # it was moved, not copied
    server.require_no_torn_copy(here.data)


def test_a_lost_lock_file_does_not_make_a_living_server_stale(here: Places) -> None:
    plant(here)
    pid = here.data / "postmaster.pid"
    pid.write_text(f"{os.getpid()}\n")
    assert not keeper.runs_on(here.data)  # a recycled pid
    before = Path.cwd()
    os.chdir(here.data)
    try:
        assert keeper.runs_on(here.data)
        assert keeper.keep(here.root, here.socket, here.binaries, []) == 1
    finally:
        os.chdir(before)
    assert pid.exists()


@pytest.fixture
def closed(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A folder that the server's account cannot enter, and a shelter of the test's."""
    if os.getuid() != 0:
        pytest.skip("only root's server runs as another account")
    shelter = Path("/var/lib") / f"lp-test-{os.getpid()}"
    monkeypatch.setattr(places, "SHELTER", shelter)
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(shelter, ignore_errors=True)


def found(var: Path) -> Path | None:
    return places.existing_root(var, places.server_account()[0])


def begun(folder: Path, monkeypatch) -> Path:
    """A var folder whose database was begun; its programs need no copy."""
    monkeypatch.setattr(places, "reachable", lambda installed, root, uid: installed)
    var = folder / "var"
    places.find_places(var)
    (var / places.PASSWORDS).write_text(json.dumps(SECRETS))
    return var


def test_a_closed_folder_keeps_its_database_where_nothing_cleans(closed, monkeypatch):
    var = begun(closed, monkeypatch)
    root = found(var)
    assert root.is_relative_to(places.SHELTER)
    assert places.find_places(var).root == root
    assert pwd.getpwuid(root.stat().st_uid).pw_name == places.SERVER_ACCOUNT


def test_a_folder_that_was_moved_finds_its_database(closed, monkeypatch):
    root = found(begun(closed, monkeypatch))
    moved = (closed / "var").rename(closed / "elsewhere")
    assert found(moved) == root
    assert found(moved) == root


def test_a_copy_is_refused_until_the_original_is_gone(closed, monkeypatch):
    original = begun(closed, monkeypatch)
    copy = closed / "copy"
    copy.mkdir()
    (copy / places.LINK).symlink_to(found(original))
    with pytest.raises(DatabaseRefused, match="is a copy of") as refused:
        found(copy)
    assert str(original) in str(refused.value)
    assert found(original)
    original.rename(closed / "gone")
    (closed / "gone" / places.LINK).unlink()
    assert found(copy)


def test_a_database_that_was_taken_away_is_refused_by_its_place(closed, monkeypatch):
    var = begun(closed, monkeypatch)
    root = found(var)
    away = root.rename(root.with_name("away"))
    with pytest.raises(DatabaseRefused, match="is not there") as refused:
        places.find_places(var)
    assert str(root) in str(refused.value)
    assert (var / places.PASSWORDS).exists()
    away.rename(root)
    assert found(var) == root


def test_a_database_inside_a_folder_closed_later_is_refused(closed, monkeypatch):
    var = closed / "var"
    (var / places.LINK).mkdir(parents=True)
    with pytest.raises(DatabaseRefused, match=r"chmod o\+x") as refused:
        places.find_places(var)
    assert str(closed) in str(refused.value)


def test_passwords_alone_never_begin_another_database(closed):
    var = closed / "var"
    var.mkdir()
    (var / places.PASSWORDS).write_text(json.dumps(SECRETS))
    with pytest.raises(DatabaseRefused, match="belongs to a database"):
        places.find_places(var)
    assert not places.SHELTER.exists()


def test_another_accounts_files_are_given_over_not_removed(var: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    folder = var / "postgres"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(DatabaseRefused, match="chown -R") as refused:
        places.make_private(folder, *places.server_account())
    assert "12345" in str(refused.value)


def test_every_refusal_is_said_by_a_command_in_one_line() -> None:
    said = str(refusals.lost_passwords(Path("/a"), Path("/b")))
    assert "\n" not in said
