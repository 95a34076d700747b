"""Downloads a base model from Hugging Face, with progress and a disk space check."""

import errno
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

WANTED = (".safetensors", ".json", ".model", ".txt", ".jinja")
COMMIT = re.compile(r"[0-9a-f]{40}")
RESERVE_BYTES = 1024**3
Say = Callable[[str], None]


def fetch(model_id: str, revision: str | None, say: Say, *, code: bool = False) -> str:
    """The model's folder in the local cache, downloaded if needed.

    Python files are skipped unless an operator allowed the model's own code.

    Raises OSError: errno ENOSPC if the disk is too small, else with the hub's error. If
    the hub is unreachable, a complete cached copy is used. HF_TOKEN is sent to the hub
    and never printed.
    """
    try:
        info = HfApi().model_info(model_id, revision=revision, files_metadata=True)
    except Exception as error:
        return _cached(model_id, revision, error)
    commit = _commit(revision) or str(info.sha)
    wanted = (*WANTED, ".py") if code else WANTED
    files = {
        sibling.rfilename: sibling.size or 0
        for sibling in info.siblings or ()
        if sibling.rfilename.endswith(wanted) and "/" not in sibling.rfilename
    }
    total = sum(files.values())
    require_space(total)
    say(
        f"downloading {model_id} at {commit}: {len(files)} files, {total / 1e6:,.0f} MB"
    )
    done, folder = 0, ""
    for name, size in sorted(files.items(), key=lambda entry: entry[1]):
        path = hf_hub_download(model_id, name, revision=commit)
        folder = str(Path(path).parent)
        done += size
        say(f"downloaded {done / max(total, 1):.0%} of the base model ({name})")
    if revision != commit:
        _note_commit(Path(folder), revision or "main", commit)
    return folder


def resolve(model_id: str, revision: str | None) -> str:
    """The commit that a branch or tag stands at now; that of the cached copy if the hub
    is unreachable. Raises OSError with the hub's error.
    """
    if known := _commit(revision):
        return known
    try:
        return str(HfApi().model_info(model_id, revision=revision).sha)
    except Exception as error:
        return Path(_cached(model_id, revision, error)).name


def _commit(revision: str | None) -> str:
    """The revision if it is a commit, which never moves; else nothing."""
    known = revision is not None and COMMIT.fullmatch(revision)
    return revision if revision and known else ""


def _note_commit(snapshot: Path, revision: str, commit: str) -> None:
    """Let the cache find the complete copy by its branch or tag, without the hub."""
    note = snapshot.parents[1] / "refs" / revision
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(commit)


def print_config(model_id: str, revision: str) -> int:
    """Print the cached path of a model's config.json, downloading it if needed."""
    print(hf_hub_download(model_id, "config.json", revision=revision or None))
    return 0


def require_space(needed_bytes: int) -> None:
    """Raises OSError with errno ENOSPC unless it fits with some space to spare."""
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < needed_bytes + RESERVE_BYTES:
        raise OSError(
            errno.ENOSPC,
            f"the base model needs {needed_bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB "
            "are free",
        )


def _cached(model_id: str, revision: str | None, error: Exception) -> str:
    try:
        return str(
            snapshot_download(model_id, revision=revision, local_files_only=True)
        )
    except Exception:
        raise OSError(str(error).strip().splitlines()[0]) from error
