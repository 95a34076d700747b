"""Explains a failure: its kind, and a sentence for the job's owner."""

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from data import BadData, NoAnswers
from sound import Diverged, NothingLearned
from spec import Spec
from stopping import CannotPack
from tokenizing import UnfitModel

NO_SPACE = ("No space left on device", "os error 28", "Disk quota exceeded")
# torch.save has no errno: these are its messages when a write fails.
TORN_WRITE = ("PytorchStreamWriter failed", "unexpected pos", "file write failed")
MISFITS = (
    "index out of range in self",
    "device-side assert triggered",
    "shapes cannot be multiplied",
    "size mismatch",
    "must match the size of tensor",
)
PROGRAM = (
    ValueError, TypeError, KeyError, AttributeError, NotImplementedError,
    AssertionError, ImportError,
)  # fmt: skip
ALMOST_FULL_BYTES = 1024 * 1024
NO_MEMORY = (
    "OutOfMemory",
    "out of memory",
    "can't allocate memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "MemoryError",
)


class ModelNotFound(Exception):
    """The base model cannot be loaded from its location in the catalogue."""


def model_not_found(spec: Spec, where: str, error: Exception) -> ModelNotFound:
    """In words: which model, which commit, where it was looked for, and what to do."""
    model = spec.base_model
    revision = None if model["path"] else model["revision"]
    at = f" at the revision {revision}" if revision else ""
    words = str(error).strip().splitlines() or [type(error).__name__]
    return ModelNotFound(
        f"The base model {model['id']}{at} could not be loaded from {where}: "
        f"{words[0][:300]} Check its name, and HF_TOKEN when it is gated."
    )


class CheckpointLost(Exception):
    """The checkpoint to resume from is missing or incomplete."""


def explain(
    error: BaseException, run_dir: Path, *, has_stepped: bool = True
) -> tuple[str, str]:
    """Kind and sentence, from the first recognised cause in the chain.

    An error that would come again at the next attempt has a kind of its own.
    """
    for cause in _chain(error):
        if isinstance(cause, BadData):
            return "bad_data", str(cause)
        if isinstance(cause, NoAnswers):
            return "no_answers", str(cause)
        if isinstance(cause, UnfitModel):
            return "unfit_model", str(cause)
        if isinstance(cause, ModelNotFound):
            return "model_not_found", str(cause)
        if isinstance(cause, CheckpointLost):
            return "checkpoint_lost", str(cause)
        if isinstance(cause, Diverged):
            return "diverged", str(cause)
        if isinstance(cause, CannotPack):
            return "cannot_pack", str(cause)
        if isinstance(cause, NothingLearned):
            return "nothing_learned", str(cause)
        if _is_disk_full(cause, run_dir):
            return "disk_full", f"The disk of the run folder is full: {_short(cause)}."
        if any(sign in f"{type(cause).__name__}: {cause}" for sign in NO_MEMORY):
            return "out_of_memory", f"The machine ran out of memory: {_short(cause)}."
    words = f"{type(error).__name__}: {error}"
    if will_repeat(error, has_stepped=has_stepped):
        said = f"The trainer failed, and would fail again at the same place. {words}"
        return "certain_error", said[:1000]
    return "trainer_error", f"The trainer failed. {words}"[:1000]


def will_repeat(error: BaseException, *, has_stepped: bool) -> bool:
    """Whether another attempt would fail in the same way.

    Wrong token ids and shapes do at any step: the order of the data is fixed. Before
    the first step any error of the program does, since nothing but the settings, the
    data and the model has been looked at. What came over the network may be whole the
    next time.
    """
    if isinstance(error, IndexError) or any(sign in str(error) for sign in MISFITS):
        return True
    over_network = isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
    return isinstance(error, PROGRAM) and not (has_stepped or over_network)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_disk_full(error: BaseException, run_dir: Path) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    text = str(error)
    if any(sign in text for sign in NO_SPACE):
        return True
    torn = any(sign in text for sign in TORN_WRITE)
    return torn and shutil.disk_usage(run_dir).free < ALMOST_FULL_BYTES


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
