"""The whole estimate, and what must hold of it for any job."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.training.domain.builders import A100, LLAMA, SMOL, lengths, place, setup
from training.domain.catalogue.gpus import HARDWARE
from training.domain.estimator.batches import LengthHistogram
from training.domain.estimator.calibration import Cell
from training.domain.estimator.model_estimate import Knowledge, estimate_job
from training.domain.method import Method

FIXED = {"micro_batch": 2, "gradient_checkpointing": True}


def seconds(asked, where=None) -> float:
    return estimate_job(asked, where or place()).seconds.expected


def test_steps_are_those_of_the_run():
    estimate = estimate_job(setup(batch_size=16, epochs=3), place(count=2))
    # 1000 sequences in batches of 16: 63 steps, the last one smaller.
    assert (estimate.steps_per_epoch, estimate.total_steps) == (63, 189)
    plan = estimate.plan
    assert plan.micro_batch * plan.accumulation * plan.processes == 16


def test_parts_sum_up_to_the_total_and_the_interval_holds_it():
    estimate = estimate_job(setup(), place())
    assert estimate.seconds.expected == estimate.parts.total
    assert estimate.seconds.low < estimate.seconds.expected < estimate.seconds.high
    assert estimate.hours.expected == estimate.parts.total / 3600
    assert estimate.basis == "model"


def test_an_own_run_makes_it_measured_narrower_and_closer():
    before = estimate_job(setup(), place())
    slow = Cell(key=before.cell, count=3, total=0.6, squares=0.12)
    after = estimate_job(setup(), place(), Knowledge(time_cells=[slow]))
    assert (after.basis, after.evidence.runs) == ("measured", 3)
    # Three runs took exp(0.2) = 1.22 times as long as the physical model says.
    assert after.step_seconds == pytest.approx(1.22 * before.step_seconds, rel=0.02)
    assert after.predicted_step_seconds == before.predicted_step_seconds

    def width(e):
        return e.seconds.high / e.seconds.low

    assert width(after) < width(before)


def test_a_type_without_evidence_has_a_wider_interval():
    known = estimate_job(setup(SMOL), place())
    guess = estimate_job(setup(SMOL), place(HARDWARE["V100-32GB"]))
    assert guess.evidence.hardware == "none"
    assert (
        guess.seconds.high / guess.seconds.low > known.seconds.high / known.seconds.low
    )


def test_packing_counts_packed_rows_and_wastes_nothing():
    plain = estimate_job(setup(SMOL, **FIXED), place())
    packed = estimate_job(setup(SMOL, Method(packing=True), **FIXED), place())
    assert packed.total_steps < plain.total_steps / 2
    assert packed.padding_share < 0.01 < plain.padding_share


def test_a_model_that_is_not_at_hand_is_fetched_first():
    here = estimate_job(setup(), place()).parts
    fetched = estimate_job(setup(), place(), downloaded=False).parts
    # 16 GB at 100 MB/s.
    assert fetched.download_model == pytest.approx(160.6, rel=0.01)
    assert fetched.total - here.total == pytest.approx(fetched.download_model)


def test_validation_costs_a_forward_pass_an_epoch():
    without = estimate_job(setup(), place()).parts
    with_it = estimate_job(setup(validation_pairs=1000), place()).parts
    assert without.evaluation == 0
    # As many pairs as in training: 2 of 6 parts of the operations, a little more head.
    assert with_it.evaluation / with_it.training == pytest.approx(0.35, abs=0.15)


def test_what_does_not_fit_comes_with_the_change_that_does():
    long = setup(LLAMA, lengths=lengths(t3000=90), max_length=4096)
    estimate = estimate_job(long, place(HARDWARE["RTX-4090"]))
    assert estimate.memory.verdict != "fits"
    assert estimate.change.values == {"method": "qlora"}


def test_a_machine_of_unknown_memory_is_not_judged():
    estimate = estimate_job(
        setup(SMOL, Method(weights="fp32")), place(HARDWARE["CPU"], available_gib=None)
    )
    assert estimate.memory.verdict == "fits"
    assert estimate.memory.available_bytes is None


histograms = st.dictionaries(
    st.integers(8, 2000), st.integers(1, 200), min_size=1, max_size=8
)


def histogram(counts: dict[int, int], longer: int = 0) -> LengthHistogram:
    ordered = sorted(counts)
    return LengthHistogram(
        lengths=tuple(n + longer for n in ordered),
        counts=tuple(counts[n] for n in ordered),
    )


gpu_or_processor = st.sampled_from(
    [place(), place(HARDWARE["CPU"], available_gib=None)]
)


@given(counts=histograms, longer=st.integers(1, 2000), here=gpu_or_processor)
def test_longer_sequences_never_cost_less_time(counts, longer, here):
    before = setup(lengths=histogram(counts), max_length=4096, **FIXED)
    after = replace(before, lengths=histogram(counts, longer))
    assert seconds(after, here) >= seconds(before, here)


@given(counts=histograms, times=st.integers(2, 5), here=gpu_or_processor)
def test_more_tokens_never_cost_less_time(counts, times, here):
    before = setup(lengths=histogram(counts), **FIXED)
    more = {n: count * times for n, count in counts.items()}
    again = replace(before, lengths=histogram(more))
    assert seconds(again, here) >= seconds(before, here)
    once_more = replace(before, epochs=before.epochs + 1)
    assert seconds(once_more, here) >= seconds(before, here)


@given(
    name=st.sampled_from(
        ["layers", "hidden", "ffn", "query", "key_value", "vocabulary"]
    ),
    more=st.integers(1, 4000),
    weights=st.sampled_from(["bf16", "nf4"]),
    here=gpu_or_processor,
)
def test_more_parameters_never_cost_less_time(name, more, weights, here):
    before = setup(method=Method(weights=weights), **FIXED)
    wider = replace(
        before.architecture, **{name: getattr(before.architecture, name) + more}
    )
    assert seconds(replace(before, architecture=wider), here) >= seconds(before, here)


@given(
    counts=histograms,
    batch_size=st.integers(1, 64),
    gpus=st.integers(1, 7),
    checkpointing=st.booleans(),
)
@example(counts={1266: 1}, batch_size=30, gpus=1, checkpointing=True)
def test_more_gpus_never_cost_more_time_while_the_batch_can_use_them(
    counts, batch_size, gpus, checkpointing
):
    asked = setup(
        SMOL,
        lengths=histogram(counts),
        batch_size=batch_size,
        gradient_checkpointing=checkpointing,
    )
    roomy = replace(A100, capacity_gib=10_000.0)
    if gpus + 1 <= batch_size:
        fewer, more = place(roomy, gpus), place(roomy, gpus + 1)
        assert seconds(asked, more) <= seconds(asked, fewer) * (1 + 1e-12)


@given(rank=st.integers(4, 127))
def test_a_larger_rank_never_needs_less_memory(rank):
    def needed(r):
        asked = setup(method=Method(rank=r), **FIXED)
        return estimate_job(asked, place()).memory.required_bytes

    assert needed(rank + 1) >= needed(rank)


def test_lengths_by_their_mean_are_the_fallback():
    mean = LengthHistogram.uniform(pairs=1000, total_tokens=400_000)
    assert (mean.lengths, mean.counts) == ((400,), (1000,))
    padded = seconds(setup(**FIXED))
    assert seconds(setup(lengths=lengths(t420=1000), **FIXED)) < padded


def test_a_job_too_large_for_a_processor_is_judged_on_a_gpu_as_it_runs_there():
    # In float32 its weights alone take 30 GiB; a GPU holds them in 16 bits, 15 GiB.
    job = setup(LLAMA, Method().at("fp32"), lengths=lengths(t200=9), batch_size=1)
    here = place(HARDWARE["CPU"], available_gib=20.0, qlora_works=False)
    estimate = estimate_job(job, here, elsewhere=[place(HARDWARE["RTX-3090"])])
    assert estimate.memory.verdict == "does_not_fit"
    assert estimate.change.values == {"gpu_type": "RTX-3090"}
    assert estimate.change.plan.method.weights == "bf16"


def test_early_stopping_is_at_most_and_lowers_the_range_alone():
    whole = estimate_job(setup(validation_pairs=100, epochs=20), place())
    asked = {"early_stopping_patience": 1, "eval_steps": 100}
    early = estimate_job(setup(validation_pairs=100, epochs=20, **asked), place())
    assert early.total_steps == whole.total_steps
    assert early.seconds.low < whole.seconds.low / 2
    assert early.seconds.high > early.seconds.expected > early.seconds.low


def test_each_evaluation_is_counted():
    whole = estimate_job(setup(validation_pairs=100), place())
    often = estimate_job(setup(validation_pairs=100, eval_steps=10), place())
    times = -(-whole.total_steps // 10)
    ratio = often.parts.evaluation / whole.parts.evaluation
    assert ratio == pytest.approx(times * whole.steps_per_epoch / whole.total_steps)
