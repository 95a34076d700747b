"""Failure kinds of a run: who can fix them, and what to change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.domain.limits import LIMITS, plain
from training.domain.method import LORA, QLORA

OUT_OF_MEMORY = "out_of_memory"
BAD_DATA = "bad_data"
MODEL_NOT_FOUND = "model_not_found"
DISK_FULL = "disk_full"
CHECKPOINT_LOST = "checkpoint_lost"
DIVERGED = "diverged"
NOTHING_LEARNED = "nothing_learned"
CANNOT_PACK = "cannot_pack"
NO_ANSWERS = "no_answers"
UNFIT_MODEL = "unfit_model"
CERTAIN_ERROR = "certain_error"
TRAINER_ERROR = "trainer_error"

USERS_FAULTS = frozenset(
    {
        OUT_OF_MEMORY,
        BAD_DATA,
        MODEL_NOT_FOUND,
        DISK_FULL,
        DIVERGED,
        NOTHING_LEARNED,
        CANNOT_PACK,
        NO_ANSWERS,
        UNFIT_MODEL,
    }
)
"""Kinds that a retry does not fix: someone has to change something first."""
CERTAIN = USERS_FAULTS | {CERTAIN_ERROR}
"""Kinds that come again at each attempt, so that none follows."""

# Messages of PyTorch, glibc, the kernel, safetensors and Python, verbatim.
SIGNS = (
    (
        DISK_FULL,
        ("No space left on device", "os error 28", "Disk quota exceeded"),
    ),
    (
        OUT_OF_MEMORY,
        (
            "CUDA out of memory",
            "HIP out of memory",
            "OutOfMemoryError",
            "DefaultCPUAllocator: can't allocate memory",
            "std::bad_alloc",
            "MemoryError",
            "Cannot allocate memory",
        ),
    ),
)
WORDS = {
    OUT_OF_MEMORY: "The machine ran out of memory.",
    DISK_FULL: "The disk of the run folder is full.",
    BAD_DATA: "The dataset cannot be used for training.",
    MODEL_NOT_FOUND: "The base model could not be loaded.",
}
PRECISION = (
    "If that does not help, look at the precision: a GPU without bfloat16 (such as "
    "the V100) computes in float16, which ends at 65 504; choose another type. A base "
    "model whose own weights are not all numbers cannot be trained at all."
)
NO_GRADIENT = (
    "Ask the base model something: if its answer does not depend on the question, its "
    "files are broken, so fetch them again or choose another. If it does, the gradient "
    "is too small for float16: choose a GPU with bfloat16 (not the V100)."
)
ANSWERS_NEEDED = (
    "Look at an example under Training signal on the dataset's page: it shows what is "
    "trained on. Then change the data, or choose a base model whose chat template "
    "prints it."
)
LARGEST_MICRO_BATCH = 8
SHORTEST_SEQUENCE = 64
LONGEST_SEQUENCE = 131_072


def recognise(printed: str) -> str:
    """The failure kind shown by the end of a trainer's output; empty if none.

    For a process that died before it could report. The last match counts, because
    earlier errors may have been handled. Known gap: the kernel's OOM killer leaves no
    message here, so such a run counts as lost and is retried.
    """
    found = [
        (printed.rfind(sign), kind)
        for kind, signs in SIGNS
        for sign in signs
        if sign in printed
    ]
    return max(found)[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A suggested fix; `changes` are fields of a new job's request."""

    kind: str
    words: str
    changes: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As stored on the job and shown by the API."""
        return {"kind": self.kind, "words": self.words, "changes": self.changes}


def suggest(
    kind: str,
    hyperparameters: Mapping[str, Any],
    *,
    plan: Mapping[str, Any] | None = None,
    processes: int = 1,
    base_model: str = "",
    default_model: str = "",
) -> Suggestion | None:
    """The suggested change after a failure that the user can fix, else None.

    `plan` is the run's batch plan; without one the trainer chose it.
    """
    if kind == OUT_OF_MEMORY:
        return _smaller(hyperparameters, plan or hyperparameters, processes)
    if kind == BAD_DATA:
        return _longer(hyperparameters)
    if kind == MODEL_NOT_FOUND:
        return _other_model(base_model, default_model)
    if kind == DIVERGED:
        return _gentler(hyperparameters, plan or hyperparameters)
    if kind == NOTHING_LEARNED:
        return Suggestion(kind=kind, words=NO_GRADIENT)
    if kind == CANNOT_PACK:
        words = "Start again without packing: each sequence is then padded instead."
        return Suggestion(kind=kind, words=words, changes={"packing": False})
    if kind == UNFIT_MODEL:
        return _fitting_model(base_model, default_model)
    if kind == NO_ANSWERS:
        return Suggestion(kind=kind, words=ANSWERS_NEEDED)
    if kind == DISK_FULL:
        words = "Free space on the disk of the run folders, then start again."
        return Suggestion(kind=kind, words=words)
    return None


def micro_batch(*, batch_size: int, processes: int) -> int:
    """The trainer's micro-batch: sequences in memory at a time.

    The largest divisor of a process's share of the batch that is at most 8.
    """
    share = max(batch_size // processes, 1)
    return max(n for n in range(1, LARGEST_MICRO_BATCH + 1) if share % n == 0)


def _smaller(
    values: Mapping[str, Any], plan: Mapping[str, Any], processes: int
) -> Suggestion:
    """The change that saves memory and alters the result least.

    In the same order as the estimator: a smaller micro-batch (activations grow with
    micro-batch x length; the optimizer's batch stays), gradient checkpointing, and only
    then shorter sequences.
    """
    batch, length = int(values["batch_size"]), int(values["max_length"])
    automatic = micro_batch(batch_size=batch, processes=processes)
    micro = int(plan.get("micro_batch") or automatic)
    if micro > 1:
        share = max(batch // processes, 1)
        half = max(n for n in range(1, micro // 2 + 1) if share % n == 0)
        words = (
            f"Set micro_batch to {half} instead of {micro}: the batch size and the "
            "result stay the same, with at most half the activations in memory. "
            "A GPU with more memory helps too."
        )
        return _less_memory(words, micro_batch=half)
    if plan.get("gradient_checkpointing") is False:
        words = (
            "Turn on gradient checkpointing: the same result for about a third more "
            "time. A GPU with more memory does not need it."
        )
        return _less_memory(words, gradient_checkpointing=True)
    if length > SHORTEST_SEQUENCE:
        shorter = max(length // 2, SHORTEST_SEQUENCE)
        words = (
            f"Lower max_length from {length} to {shorter}, truncating longer ones. A "
            "GPU with more memory can keep them whole."
        )
        return _less_memory(words, max_length=shorter)
    return _less_memory("Choose a GPU with more memory or a smaller base model.")


def _less_memory(words: str, **changes: Any) -> Suggestion:
    return Suggestion(kind=OUT_OF_MEMORY, words=words, changes=changes)


def _longer(values: Mapping[str, Any]) -> Suggestion:
    """The most common data problem is an answer beyond max_length."""
    length = int(values["max_length"])
    longer = min(max(length * 2, 1024), LONGEST_SEQUENCE)
    if longer <= length:
        return Suggestion(kind=BAD_DATA, words="Fix the dataset and start again.")
    words = (
        f"Raise max_length from {length} to {longer}, to avoid truncating answers. "
        "If that does not help, fix the dataset."
    )
    return Suggestion(kind=BAD_DATA, words=words, changes={"max_length": longer})


def _gentler(values: Mapping[str, Any], plan: Mapping[str, Any]) -> Suggestion:
    """What diverges less: a tenth of the learning rate, then more precision.

    A tenth, since a run that comes to NaN is far beyond the edge of what is stable, not
    near it, and each further try costs a run.
    """
    rate, limit = float(values["learning_rate"]), LIMITS["learning_rate"]
    lower = max(float(f"{rate / 10:.1e}"), limit.minimum)
    changes: dict[str, Any] = {}
    if lower < rate:
        first = f"Set learning_rate to {plain(lower)} instead of {plain(rate)}."
        changes = {"learning_rate": lower}
    elif plan.get("method") == QLORA:
        first = "Set method to lora, whose base model is not rounded to 4 bits."
        changes = {"method": LORA}
    else:
        first = "The learning rate is the lowest already."
    return Suggestion(kind=DIVERGED, words=f"{first} {PRECISION}", changes=changes)


def _fitting_model(base_model: str, default_model: str) -> Suggestion:
    words = "Choose a base model whose chat template and tokenizer suit the data"
    if default_model and default_model != base_model:
        changes = {"base_model": default_model}
        words = f"{words}, such as {default_model}."
        return Suggestion(kind=UNFIT_MODEL, words=words, changes=changes)
    return Suggestion(kind=UNFIT_MODEL, words=f"{words}.")


def _other_model(base_model: str, default_model: str) -> Suggestion:
    if default_model and default_model != base_model:
        words = f"Use {default_model}, or ask an operator to add {base_model}."
        changes = {"base_model": default_model}
        return Suggestion(kind=MODEL_NOT_FOUND, words=words, changes=changes)
    words = "Ask an operator to check the base model's name, folder and HF_TOKEN."
    return Suggestion(kind=MODEL_NOT_FOUND, words=words)
