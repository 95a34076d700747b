"""Downloads a base model from Hugging Face, with progress and a disk space check."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

WANTED = (".safetensors", ".json", ".model", ".txt", ".jinja")
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
    wanted = (*WANTED, ".py") if code else WANTED
    files = {
        sibling.rfilename: sibling.size or 0
        for sibling in info.siblings or ()
        if sibling.rfilename.endswith(wanted) and "/" not in sibling.rfilename
    }
    total = sum(files.values())
    require_space(total)
    say(
        f"downloading {model_id} at {info.sha}: "
        f"{len(files)} files, {total / 1e6:,.0f} MB"
    )
    done, folder = 0, ""
    for name, size in sorted(files.items(), key=lambda entry: entry[1]):
        path = hf_hub_download(model_id, name, revision=revision)
        folder = str(Path(path).parent)
        done += size
        say(f"downloaded {done / max(total, 1):.0%} of the base model ({name})")
    return folder


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
