"""How well the estimator predicts runs of stacks it has not seen; prints the tables.

Nothing is asserted of the errors: they are published with their date in the README.
What is asserted is that the constants in the product are those that this fit gives.
"""

import random
import time
from statistics import median

import pytest

from tests.benchmarks.estimator.evaluate import (
    LEARNED_FROM,
    Outcome,
    Task,
    after_runs,
    false_fits,
    held_out,
    interval_width,
    is_large_and_dense,
    memory_task,
    repeats,
    sources,
    summarise,
    time_task,
)
from tests.benchmarks.estimator.fit import fit
from tests.benchmarks.estimator.problems import MEMORY, TIME
from tests.benchmarks.estimator.rows import MEASURED
from training.domain.catalogue.base_models import KNOWN_MODELS
from training.domain.catalogue.gpus import HARDWARE
from training.domain.estimator import fitted
from training.domain.estimator.batches import LengthHistogram
from training.domain.estimator.calibration import Cell
from training.domain.estimator.model_estimate import Knowledge, estimate_job
from training.domain.estimator.plan import Place, Setup
from training.domain.method import Method

needs_table = pytest.mark.skipif(
    not MEASURED.is_file(),
    reason=f"The published measurements are not at {MEASURED}: nothing to judge by. "
    "Put the table there, or name it in MEASURED_RUNS.",
)
HEAD = f"{'held out':42s}  rows  median    mean  in 80 %     +-"


def _line(name: str, outcomes: list[Outcome]) -> None:
    s = summarise(outcomes)
    numbers = f"{s.median:6.1f}% {s.mean:6.1f}% {s.covered:7.0f}% {s.half_width:5.0f}%"
    print(f"{name:42s} {s.rows:5d} {numbers}")


def _table(title: str, outcomes: list[Outcome]) -> None:
    print(f"\n{title}\n{HEAD}")
    parts = {
        name: [o for o in outcomes if o.row.source == name]
        for name in sources(o.row for o in outcomes)
    }
    for name, part in parts.items():
        _line(name, part)
    each = [summarise(part) for part in parts.values()]
    size = len(each)
    print(
        f"{'mean over sources':42s} {'':5s} {sum(s.median for s in each) / size:6.1f}% "
        f"{sum(s.mean for s in each) / size:6.1f}% "
        f"{sum(s.covered for s in each) / size:7.0f}%"
    )
    _line("pooled", outcomes)


def _repeats(task: Task) -> None:
    apart = [100 * difference for difference in repeats(task)]
    print(
        f"same settings twice in one source: {len(apart)} pairs, "
        f"{min(apart):.1f} to {max(apart):.1f} % apart, median {median(apart):.1f} %"
    )


@needs_table
def test_time_of_held_out_sources():
    task = time_task()
    outcomes, constants = held_out(task)
    _table("Time of a step, source held out", outcomes)
    _line(
        "  dense, 2 048 tokens or more", [o for o in outcomes if is_large_and_dense(o)]
    )
    _repeats(task)
    print("\nTime after runs of the same GPU type, stack, method and model")
    for number in LEARNED_FROM:
        _line(f"after {number}", after_runs(task, constants, number))


@needs_table
def test_memory_of_held_out_sources():
    task = memory_task()
    outcomes, constants = held_out(task)
    _table("Peak memory on one card, source held out", outcomes)
    wrong, lost = false_fits(constants)
    print(f"called fitting, of {lost} runs that ran out of memory: {wrong}")
    _repeats(task)
    print("\nMemory after runs of the same GPU type, stack, method and model")
    for number in LEARNED_FROM:
        _line(f"after {number}", after_runs(task, constants, number))


@needs_table
def test_the_product_has_the_constants_of_this_fit():
    seconds, memory = fit(TIME, time_task().rows), fit(MEMORY, memory_task().rows)
    width = interval_width(time_task(), time_task().rows)
    print("\ntime", {name: float(f"{v:.4g}") for name, v in seconds.items()})
    print("memory", {name: float(f"{v:.4g}") for name, v in memory.items()})
    print(f"interval width {width:.2f}")
    assert fitted.TIME.utilisation == pytest.approx(seconds["utilisation"], rel=1e-3)
    assert fitted.TIME.launch_seconds == pytest.approx(
        seconds["launch_seconds"], rel=1e-3
    )
    assert fitted.MEMORY.recompute == pytest.approx(memory["recompute"], rel=1e-3)
    native = fitted.MEMORY.logit_bytes["native"]
    assert native == pytest.approx(memory["logits.native"], rel=1e-3)
    assert fitted.TIME_SPREADS.multiplier == pytest.approx(width, abs=0.05)


def test_cpu_of_an_estimate_with_ten_thousand_records():
    draws = random.Random(7)
    model = KNOWN_MODELS["meta-llama/Llama-3.1-8B-Instruct"]
    cells: dict[tuple[str, ...], Cell] = {}
    for _ in range(10_000):
        key = (
            "A100-80GB",
            draws.choice(("trl", "trl-next")),
            draws.choice(("lora", "qlora")),
            draws.choice(list(KNOWN_MODELS)),
            draws.choice(("one", "many")),
            f"4^{draws.randint(4, 8)}",
        )
        cell = cells.get(key, Cell(key=key, count=0, total=0.0, squares=0.0))
        cells[key] = cell.with_run(draws.gauss(0, 0.1))
    lengths = sorted(
        {min(int(draws.lognormvariate(6, 0.8)) + 1, 4096) for _ in range(9000)}
    )
    setup = Setup(
        base_model=model.id,
        architecture=model.architecture,
        lengths=LengthHistogram(
            lengths=tuple(lengths), counts=tuple(1 + n % 5 for n in lengths)
        ),
        batch_size=16,
        epochs=3,
        max_length=2048,
        method=Method(),
    )
    knowledge = Knowledge(
        time_cells=list(cells.values()),
        memory_cells=[cell for key, cell in cells.items() if "one" in key],
        scores=[abs(draws.gauss(0, 1)) for _ in range(500)],
    )
    hardware = HARDWARE["A100-80GB"]
    place = Place(hardware=hardware, gpu_count=2, available_gib=hardware.capacity_gib)
    taken = []
    for _ in range(50):
        began = time.process_time()
        estimate_job(setup, place, knowledge)
        taken.append(time.process_time() - began)
    taken.sort()
    print(
        f"\nestimate, 10 000 records in {len(cells)} cells, {len(lengths)} lengths: "
        f"median {1000 * taken[25]:.1f} ms, worst {1000 * taken[-1]:.1f} ms of CPU"
    )
