"""Shrinkage, intervals and censored runs."""

import random
from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.domain.estimator.calibration import (
    NOISE,
    Belief,
    Cell,
    Spreads,
    believe,
    cell_key,
    censored_residual,
    multiplier,
    noise_of,
    score,
)

SPREADS = (0.10, 0.12, 0.08, 0.12)
WIDTHS = Spreads(
    levels=SPREADS,
    gpu_similar=0.2,
    gpu_without_evidence=0.35,
    multiplier=0.65,
    multiplier_with_runs=1.0,
)


def cell(key: str, *residuals: float) -> Cell:
    found = Cell(key=tuple(key.split()), count=0, total=0.0, squares=0.0)
    for residual in residuals:
        found = found.with_run(residual)
    return found


def test_without_runs_only_the_spreads_are_known():
    belief = believe([], ("a100", "trl", "lora", "llama"), SPREADS)
    assert (belief.mean, belief.runs) == (0, 0)
    assert belief.variance == pytest.approx(sum(s**2 for s in SPREADS))


def test_one_run_pulls_its_own_cell_almost_all_the_way():
    belief = believe(
        [cell("a100 trl lora llama", 0.2)], ("a100", "trl", "lora", "llama"), SPREADS
    )
    prior, noise = sum(s**2 for s in SPREADS), NOISE**2
    assert belief.mean == pytest.approx(0.2 * prior / (prior + noise))
    assert belief.variance == pytest.approx(prior * noise / (prior + noise))
    assert belief.runs == 1


def test_another_model_learns_what_the_levels_share():
    known = [cell("a100 trl lora llama", 0.2)]
    other = believe(known, ("a100", "trl", "lora", "qwen"), SPREADS)
    # Shared are GPU, stack and method; the model's own deviation is not.
    shared = sum(s**2 for s in SPREADS[:3])
    whole = sum(s**2 for s in SPREADS) + NOISE**2
    assert other.mean == pytest.approx(0.2 * shared / whole)
    assert (other.runs, other.counts[0]) == (0, 1)


def test_another_gpu_type_learns_nothing():
    known = [cell("a100 trl lora llama", 0.2)]
    assert believe(known, ("h100", "trl", "lora", "llama"), SPREADS).mean == 0


cells_of_a_small_world = st.lists(
    st.tuples(
        st.sampled_from(["x", "y"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["x", "y", "z"]),
        st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda c: c[:3],
)


@given(world=cells_of_a_small_world)
def test_the_two_passes_are_exact(world):
    """Against the joint normal of all runs, conditioned by linear algebra."""
    cells = [cell(f"gpu {a} {b} {c}", *ys) for a, b, c, ys in world]
    key = ("gpu", "x", "y", "z")
    belief = believe(cells, key, SPREADS)
    runs = [(c.key, y) for c, row in zip(cells, world, strict=True) for y in row[3]]
    noise = noise_of(cells)

    def shared(a, b):
        depth = next((i for i in range(4) if a[i] != b[i]), 4)
        return sum(s**2 for s in SPREADS[:depth])

    matrix = [
        [shared(a, b) + (i == j) * noise**2 for j, (b, _) in enumerate(runs)]
        for i, (a, _) in enumerate(runs)
    ]
    with_key = [shared(key, a) for a, _ in runs]
    weights = solve(matrix, with_key)
    mean = sum(w * y for w, (_, y) in zip(weights, runs, strict=True))
    gain = sum(w * c for w, c in zip(weights, with_key, strict=True))
    assert belief.mean == pytest.approx(mean, abs=1e-9)
    assert belief.variance == pytest.approx(shared(key, key) - gain, abs=1e-9)


def solve(matrix, target):
    rows = [[*row, t] for row, t in zip(matrix, target, strict=True)]
    size = len(rows)
    for i in range(size):
        for j in range(size):
            if i != j:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [
                    a - factor * b for a, b in zip(rows[j], rows[i], strict=True)
                ]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def test_noise_is_learned_from_the_spread_within_cells():
    assert noise_of([]) == pytest.approx(NOISE)
    assert noise_of([cell("a b c d", 0.3)]) == pytest.approx(NOISE)
    scattered = [cell("a b c d", *(0.2 * (-1) ** i for i in range(200)))]
    assert noise_of(scattered) == pytest.approx(0.19, abs=0.01)


def belief_of(runs: int) -> Belief:
    return Belief(mean=0.0, variance=0.01, noise=0.04, counts=(9, 9, 9, runs))


def test_before_thirty_own_residuals_the_published_width_holds():
    scores = [9.0] * 29
    assert multiplier(scores, belief_of(0), WIDTHS) == 0.65
    assert multiplier(scores, belief_of(2), WIDTHS) == 1.0


def test_from_thirty_on_the_conformal_quantile_holds():
    # ceil(0.8 x 31) = the 25th smallest of 1, 2, ... 30.
    assert multiplier([float(n) for n in range(1, 31)], belief_of(1), WIDTHS) == 25


def test_the_conformal_width_covers_four_in_five_of_any_distribution():
    draws = random.Random(5)
    covered = 0
    for _ in range(2000):
        scores = [draws.expovariate(1) for _ in range(40)]
        width = multiplier(scores, belief_of(1), WIDTHS)
        covered += draws.expovariate(1) <= width
    assert covered / 2000 == pytest.approx(0.805, abs=0.03)


def test_old_scores_are_forgotten():
    scores = [100.0] * 1000 + [1.0] * 500
    assert multiplier(scores, belief_of(1), WIDTHS) == 1.0


def test_a_score_counts_standard_deviations():
    belief = belief_of(1)
    assert score(belief, 0.3) == pytest.approx(0.3 / sqrt(0.01 + 0.0016))


def test_a_surprising_loss_of_memory_is_recorded_beyond_what_was_there():
    belief = belief_of(0)
    recorded = censored_residual(belief, predicted=60.0, available=79.0)
    assert recorded > 0.275  # ln(79 / 60): it needed more than there was.
    assert recorded < 0.275 + belief.sigma


def test_an_expected_loss_of_memory_teaches_nothing():
    assert censored_residual(belief_of(0), predicted=90.0, available=79.0) is None


def test_cells_count_sizes_in_powers_of_four():
    same = {"gpu": "A100-80GB", "stack": "trl", "method": "lora", "model": "llama"}
    one = cell_key(**same, processes=1, tokens=4096)
    assert one == ("A100-80GB", "trl", "lora", "llama", "one", "4^6")
    assert cell_key(**same, processes=4, tokens=5000)[4:] == ("many", "4^6")


def test_a_belief_multiplies_predictions():
    belief = believe([cell("a b c d", *[0.1] * 50)], ("a", "b", "c", "d"), SPREADS)
    assert belief.factor == pytest.approx(exp(0.1), rel=0.01)


def test_types_without_evidence_start_wider():
    assert WIDTHS.for_evidence("measured") == SPREADS
    assert WIDTHS.for_evidence("similar")[0] == 0.2
    assert WIDTHS.for_evidence("none")[0] == 0.35
