"""The tiny model and the shared console, made once for all tests of a session."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON, Console


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    script = str(ROOT / "tests" / "trainer" / "tiny_model.py")
    subprocess.run([TRAINER_PYTHON, "-I", script, folder], check=True)
    return folder


def running_console(tmp_path_factory, tiny_model: Path) -> Iterator[Console]:
    made = Console(tmp_path_factory.mktemp("console"))
    made.start()
    made.prepare(tiny_model)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_console(tmp_path_factory, tiny_model) -> Iterator[Console]:
    """One console that modules take in turn: a start takes ten seconds."""
    yield from running_console(tmp_path_factory, tiny_model)


@pytest.fixture(scope="module")
def console(request, shared_console: Console) -> Iterator[Console]:
    """The shared console, for a user of the module's own who has nothing yet."""
    # With its folder: modules of one name may run on one worker.
    folder, _, name = request.module.__name__.rpartition(".test_")
    shared_console.enter(f"{folder.rpartition('.')[2]}-{name}")
    yield shared_console
    shared_console.leave()


@pytest.fixture(scope="module")
def own_console(tmp_path_factory, tiny_model) -> Iterator[Console]:
    """A console for one module, which changes what all users of one see."""
    yield from running_console(tmp_path_factory, tiny_model)
