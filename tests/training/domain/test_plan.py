"""Automatic choices, and the smallest change that makes a job fit."""

import pytest

from tests.training.domain.builders import LLAMA, LLAMA_70B, SMOL, lengths, place, setup
from training.domain.catalogue.gpus import HARDWARE
from training.domain.estimator import fitted
from training.domain.estimator.changes import apply_change, smallest_change
from training.domain.estimator.memory import FITS
from training.domain.estimator.plan import MemoryModel, make_plan
from training.domain.method import Method

MEMORY = MemoryModel(constants=fitted.MEMORY)
RTX = place(HARDWARE["RTX-4090"])
T4 = place(HARDWARE["T4"])


def test_a_small_model_takes_the_whole_share_without_checkpointing():
    plan = make_plan(setup(SMOL), place(count=2), MEMORY)
    assert (plan.processes, plan.micro_batch, plan.accumulation) == (2, 4, 1)
    assert not plan.method.gradient_checkpointing


def test_a_larger_model_takes_the_largest_micro_batch_that_fits():
    plan = make_plan(setup(LLAMA, max_length=8192, batch_size=32), place(), MEMORY)
    assert plan.method.gradient_checkpointing
    assert plan.micro_batch * plan.accumulation == 32
    assert plan.memory.verdict == FITS
    doubled = setup(
        LLAMA, max_length=8192, batch_size=32, micro_batch=plan.micro_batch * 2
    )
    assert make_plan(doubled, place(), MEMORY).memory.verdict != FITS


def test_what_is_fixed_is_kept_even_where_it_does_not_fit():
    fixed = setup(LLAMA, micro_batch=8, gradient_checkpointing=False)
    plan = make_plan(fixed, RTX, MEMORY)
    assert (plan.micro_batch, plan.method.gradient_checkpointing) == (8, False)
    assert plan.memory.verdict != FITS


def test_a_micro_batch_that_does_not_divide_the_share_is_refused():
    with pytest.raises(ValueError, match="micro-batch of 3; it must divide 8"):
        make_plan(setup(micro_batch=3), place(), MEMORY)


def test_a_job_that_fits_needs_no_change():
    assert smallest_change(setup(SMOL), place(), MEMORY) is None


def test_a_fixed_micro_batch_is_changed_first_since_the_result_stays_the_same():
    fixed = setup(LLAMA, max_length=1024, batch_size=32, micro_batch=32)
    change = smallest_change(fixed, place(), MEMORY)
    assert change.values == {"micro_batch": "auto"}
    assert "it fits" in change.sentence


def test_weights_too_large_are_stored_in_four_bits():
    long = setup(LLAMA, lengths=lengths(t3000=90), max_length=4096)
    change = smallest_change(long, RTX, MEMORY)
    assert change.values == {"method": "qlora"}
    assert change.sentence.startswith("With QLoRA (4-bit weights) it fits: ")


def test_without_four_bits_a_shorter_length_is_suggested_where_that_is_enough():
    long = setup(LLAMA, lengths=lengths(t30000=20), max_length=32_768, batch_size=1)
    here = place(qlora_works=False)
    change = smallest_change(long, here, MEMORY)
    assert list(change.values) == ["max_length"]
    longer = apply_change(long, {"max_length": change.values["max_length"] + 128})
    assert make_plan(longer, here, MEMORY).memory.verdict != FITS


@pytest.mark.parametrize("model", [SMOL, LLAMA, "Qwen/Qwen2.5-14B-Instruct"])
@pytest.mark.parametrize("where", [RTX, T4, place()], ids=lambda p: p.hardware.name)
def test_an_applied_change_fits(model, where):
    asked = setup(
        model, lengths=lengths(t4000=50), max_length=4096, gradient_checkpointing=False
    )
    change = smallest_change(asked, where, MEMORY)
    if change is not None:
        plan = make_plan(apply_change(asked, change.values), where, MEMORY)
        assert plan.memory.verdict == FITS


def test_what_fits_nowhere_here_is_sent_elsewhere():
    large = setup(LLAMA_70B)
    assert smallest_change(large, T4, MEMORY) is None
    elsewhere = [RTX, place(HARDWARE["B200"])]
    options = [(large, other, MEMORY) for other in elsewhere]
    change = smallest_change(large, T4, MEMORY, options)
    assert change.values == {"gpu_type": "B200"}


def test_own_runs_that_needed_more_make_the_plan_careful():
    careful = MemoryModel(constants=fitted.MEMORY, factor=1.6)
    asked = setup(LLAMA, batch_size=32, lengths=lengths(t2000=99), max_length=2048)
    before, after = (
        make_plan(asked, place(), MEMORY),
        make_plan(asked, place(), careful),
    )
    assert after.micro_batch < before.micro_batch


def test_a_method_that_is_unknown_says_which_are_known():
    with pytest.raises(ValueError, match="weights 'fp4'; supported are fp32"):
        Method(weights="fp4")
