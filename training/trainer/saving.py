"""The adapter as it leaves the run: saved by one process, archived, and checked."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parallel
from card import model_card
from spec import Spec
from tidy import tidy_adapter, tidy_tokenizer

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
CARD = "README.md"


class BadAdapter(RuntimeError):
    """What was saved is not what was trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A PEFT folder, with the files and the tensors that it is to have."""

    folder: Path
    files: frozenset[str]
    shapes: dict[str, tuple[int, ...]]
    rank: int


def save_adapter(spec: Spec, trainer: Any, tokenizer: Any) -> Adapter:
    """The PEFT folder: weights, config, tokenizer with chat template, model card.

    The first process writes, the others wait: all have the same weights, and nobody may
    touch the folder while it is read.
    """
    from peft import get_peft_model_state_dict

    folder, model = spec.run_dir / "adapter", trainer.model
    written: set[str] = set()
    if parallel.RANK == 0:
        shutil.rmtree(folder, ignore_errors=True)
        model.save_pretrained(folder, save_embedding_layers=False)
        written = {Path(file).name for file in tokenizer.save_pretrained(folder)}
        tidy_adapter(folder / CONFIG)
        tidy_tokenizer(folder)
        card = model_card(spec, trainer, str(tokenizer.eos_token))
        (folder / CARD).write_text(card)
    parallel.wait_for_all()
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    return Adapter(
        folder=folder,
        files=frozenset(written | {WEIGHTS, CONFIG, CARD}),
        shapes={name: tuple(tensor.shape) for name, tensor in tensors.items()},
        rank=spec.hyperparameters.rank,
    )


def checked_archive(adapter: Adapter, archive: Path) -> dict[str, str]:
    """Make the archive and read it back; the checksums to send with it.

    Raises BadAdapter where it is not what was trained.
    """
    make_archive(adapter.folder, archive)
    with zipfile.ZipFile(archive) as made:
        if broken := made.testzip():
            raise BadAdapter(f"{broken} was not archived whole.")
        _check_files(set(made.namelist()), adapter)
        config = json.loads(made.read(CONFIG))
        with made.open(WEIGHTS) as weights:
            archived = hashlib.file_digest(weights, "sha256").hexdigest()  # type: ignore[arg-type]
    if config.get("r") != adapter.rank:
        raise BadAdapter(f"{CONFIG} has rank {config.get('r')}, not {adapter.rank}.")
    if archived != sha256(adapter.folder / WEIGHTS):
        raise BadAdapter(f"{WEIGHTS} changed while it was archived.")
    _check_weights(adapter)
    return {"X-Content-SHA256": sha256(archive), "X-Adapter-SHA256": archived}


def _check_files(found: set[str], adapter: Adapter) -> None:
    if missing := {WEIGHTS, CONFIG, CARD} - found:
        raise BadAdapter(f"The archive lacks {', '.join(sorted(missing))}.")
    if stray := found - adapter.files:
        raise BadAdapter(f"The archive has stray files: {', '.join(sorted(stray))}.")


def _check_weights(adapter: Adapter) -> None:
    """Loads tensor by tensor: the names and shapes that were trained, all finite."""
    from safetensors import safe_open

    with safe_open(str(adapter.folder / WEIGHTS), framework="pt") as saved:
        names = set(saved.keys())
        if odd := names ^ set(adapter.shapes):
            raise BadAdapter(f"{WEIGHTS} differs in the tensors {sorted(odd)[:5]}.")
        for name in names:
            tensor, shape = saved.get_tensor(name), adapter.shapes[name]
            if tuple(tensor.shape) != shape:
                raise BadAdapter(f"{name} is {tuple(tensor.shape)}, not {shape}.")
            if not tensor.isfinite().all():
                raise BadAdapter(f"{name} is not all numbers.")


def make_archive(folder: Path, archive: Path) -> None:
    """A zip of a folder with equal bytes for equal files: fixed order and dates."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)))
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, target.open(entry, "w") as written:
                while chunk := source.read(1024 * 1024):
                    written.write(chunk)


def sha256(file: Path) -> str:
    """SHA-256 of a file in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
