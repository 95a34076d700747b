"""Finds the smallest change that makes a job fit in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from training.domain.estimator.memory import FITS, GIB
from training.domain.estimator.plan import MemoryModel, Place, Plan, Setup, make_plan

LENGTH_STEP = 128
SMALLEST_RANK = 4

Values = dict[str, int | bool | str]
Option = tuple[Setup, Place, MemoryModel]
"""The job on another machine, that machine, and its memory calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Changes that make a job fit: values by the job's own field names."""

    values: Values
    sentence: str
    plan: Plan


def smallest_change(
    setup: Setup,
    place: Place,
    memory: MemoryModel,
    elsewhere: Iterable[Option] = (),
) -> Change | None:
    """The change that makes the job fit and alters the result least, or None.

    Tried in this order, first each alone, then the first two, three, ... together:
    automatic micro-batch and checkpointing (same result), 4-bit weights, shorter
    sequences, a smaller rank; finally the first machine in `elsewhere` where it fits.
    Also None if the job already fits.
    """
    if make_plan(setup, place, memory).memory.verdict == FITS:
        return None
    alone = [[step] for step in _STEPS]
    together = [list(_STEPS[:n]) for n in range(2, len(_STEPS) + 1)]
    for steps in (*alone, *together):
        values = _values(steps, setup, place, memory)
        plan = make_plan(apply_change(setup, values), place, memory)
        if values and plan.memory.verdict == FITS:
            return Change(values=values, sentence=_sentence(values, plan), plan=plan)
    return _other_place(elsewhere)


_Step = Callable[[Setup, Place, MemoryModel], Values]


def _values(
    steps: Sequence[_Step], setup: Setup, place: Place, memory: MemoryModel
) -> Values:
    """Each step's values, added to those before it."""
    values: Values = {}
    for step in steps:
        values |= step(apply_change(setup, values), place, memory)
    return values


def _automatic_micro_batch(setup: Setup, _: Place, __: MemoryModel) -> Values:
    return {} if setup.micro_batch is None else {"micro_batch": "auto"}


def _checkpointing(setup: Setup, _: Place, __: MemoryModel) -> Values:
    off = setup.gradient_checkpointing is False
    return {"gradient_checkpointing": True} if off else {}


def _four_bits(setup: Setup, place: Place, _: MemoryModel) -> Values:
    possible = place.qlora_works and not setup.method.is_quantised
    return {"method": "qlora"} if possible else {}


def _shorter(setup: Setup, place: Place, memory: MemoryModel) -> Values:
    """The largest multiple of 128 tokens that fits as max_length, by bisection."""
    longest = min(setup.lengths.longest, setup.max_length)
    low, high = 0, (longest - 1) // LENGTH_STEP
    while low < high:
        middle = (low + high + 1) // 2
        shorter = replace(setup, max_length=middle * LENGTH_STEP)
        fits = make_plan(shorter, place, memory).memory.verdict == FITS
        low, high = (middle, high) if fits else (low, middle - 1)
    return {"max_length": low * LENGTH_STEP} if low else {}


def _smaller_rank(setup: Setup, _: Place, __: MemoryModel) -> Values:
    return {"rank": SMALLEST_RANK} if setup.method.rank > SMALLEST_RANK else {}


_STEPS = (_automatic_micro_batch, _checkpointing, _four_bits, _shorter, _smaller_rank)


def apply_change(setup: Setup, values: Values) -> Setup:
    """The setup with a Change's values; `gpu_type` is handled by the machine."""
    changed = setup
    for name, value in values.items():
        if name == "micro_batch":
            changed = replace(changed, micro_batch=None)
        elif name == "method":
            nf4 = changed.method.changed(weights="nf4")
            changed = replace(changed, method=nf4)
        elif name == "rank":
            changed = replace(changed, method=changed.method.changed(rank=value))
        elif name == "max_length":
            changed = replace(changed, max_length=int(value))
        elif name == "gradient_checkpointing":
            changed = replace(changed, gradient_checkpointing=bool(value))
    return changed


def _other_place(elsewhere: Iterable[Option]) -> Change | None:
    for setup, place, memory in elsewhere:
        plan = make_plan(setup, place, memory)
        if plan.memory.verdict == FITS:
            name = place.hardware.name
            return Change(
                values={"gpu_type": name},
                sentence=f"On {name} it fits: {_needed(plan)}.",
                plan=plan,
            )
    return None


def _sentence(values: Values, plan: Plan) -> str:
    words = {
        "micro_batch": f"a micro-batch of {plan.micro_batch}",
        "gradient_checkpointing": "gradient checkpointing",
        "method": "QLoRA (4-bit weights)",
        "max_length": f"max_length {values.get('max_length')}",
        "rank": f"rank {values.get('rank')}",
    }
    with_what = " and ".join(words[name] for name in values)
    return f"With {with_what} it fits: {_needed(plan)}."


def _needed(plan: Plan) -> str:
    return f"{plan.memory.required_bytes / GIB:.1f} GiB"
