"""Faults of the user's making: recognised in what was printed, with what to change."""

import pytest

from training.domain import failures
from training.domain.failures import micro_batch, recognise, suggest
from training.domain.schedule import process_count

VALUES = {"batch_size": 16, "max_length": 1024}


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", "out_of_memory"),
        ("DefaultCPUAllocator: can't allocate memory: you tried", "out_of_memory"),
        ("OSError: [Errno 28] No space left on device", "disk_full"),
        ("SafetensorError: I/O error: (os error 28)", "disk_full"),
        ("Segmentation fault", ""),
        ("", ""),
    ],
)
def test_a_fault_is_recognised_by_what_was_printed(printed, kind):
    assert recognise(printed) == kind


def test_the_last_sign_decides():
    printed = "CUDA out of memory ... retried ... No space left on device"
    assert recognise(printed) == "disk_full"


def test_out_of_memory_halves_what_is_in_memory_at_a_time():
    found = suggest(failures.OUT_OF_MEMORY, VALUES)
    assert micro_batch(batch_size=16, processes=1) == 8
    assert found.changes == {"micro_batch": 4}


@pytest.mark.parametrize("batch", range(1, 65))
@pytest.mark.parametrize("gpus", [1, 2, 3, 8])
def test_the_suggested_micro_batch_divides_the_batch_and_is_half_at_most(batch, gpus):
    processes = process_count(batch_size=batch, gpu_count=gpus)
    micro = micro_batch(batch_size=batch, processes=processes)
    found = suggest(
        failures.OUT_OF_MEMORY, VALUES | {"batch_size": batch}, processes=processes
    )
    if micro == 1:
        assert found.changes == {"max_length": 512}
    else:
        smaller = found.changes["micro_batch"]
        assert smaller <= micro / 2
        assert batch // processes % smaller == 0


def test_following_every_suggestion_ends_with_the_shortest_sequences():
    plan = {"micro_batch": 4, "gradient_checkpointing": False}
    values, followed = VALUES | plan, []
    while changes := suggest(failures.OUT_OF_MEMORY, values, plan=values).changes:
        values |= changes
        followed.append(changes)
    assert followed == [
        {"micro_batch": 2},
        {"micro_batch": 1},
        {"gradient_checkpointing": True},
        {"max_length": 512},
        {"max_length": 256},
        {"max_length": 128},
        {"max_length": 64},
    ]


def test_one_short_sequence_at_a_time_leaves_only_another_machine():
    found = suggest(failures.OUT_OF_MEMORY, {"batch_size": 1, "max_length": 64})
    assert found.changes == {}
    assert "GPU with more memory" in found.words


def test_what_cannot_be_packed_is_started_again_without():
    found = suggest(failures.CANNOT_PACK, VALUES)
    assert found.changes == {"packing": False}
    assert failures.CANNOT_PACK in failures.USERS_FAULTS


def test_a_missing_model_is_replaced_by_the_installed_one():
    names = {"base_model": "a/b", "default_model": "c/d"}
    found = suggest(failures.MODEL_NOT_FOUND, VALUES, **names)
    assert found.changes == {"base_model": "c/d"}


def test_a_full_disk_asks_for_space_and_changes_nothing():
    found = suggest(failures.DISK_FULL, VALUES)
    assert (found.changes, "Free space" in found.words) == ({}, True)


def test_answers_cut_away_ask_for_a_longer_sequence():
    found = suggest(failures.BAD_DATA, VALUES | {"max_length": 16})
    assert found.changes == {"max_length": 1024}


def test_our_own_faults_suggest_nothing():
    assert suggest(failures.TRAINER_ERROR, VALUES) is None


def test_a_run_that_diverged_is_tried_at_a_tenth_of_its_learning_rate():
    found = suggest(failures.DIVERGED, VALUES | {"learning_rate": 0.001})
    assert found.changes == {"learning_rate": 0.0001}
    assert "instead of 0.001" in found.words
    found = suggest(failures.DIVERGED, VALUES | {"learning_rate": 0.00005})
    assert found.changes == {"learning_rate": 0.00001}


def test_at_the_lowest_learning_rate_only_precision_is_left():
    values = VALUES | {"learning_rate": 0.00001}
    found = suggest(failures.DIVERGED, values, plan={"method": "qlora"})
    assert found.changes == {"method": "lora"}
    found = suggest(failures.DIVERGED, values, plan={"method": "lora"})
    assert (found.changes, "float16" in found.words) == ({}, True)


def test_where_nothing_was_learned_the_base_model_is_looked_at():
    found = suggest(failures.NOTHING_LEARNED, VALUES)
    assert (found.changes, "Ask the base model" in found.words) == ({}, True)


def test_another_model_is_the_advice_where_this_one_does_not_fit():
    found = suggest(
        failures.UNFIT_MODEL, VALUES, base_model="a/b", default_model="default"
    )
    assert found.changes == {"base_model": "default"}
    own = suggest(failures.UNFIT_MODEL, VALUES, base_model="a", default_model="a")
    assert own.changes == {}
    assert "max_length" not in suggest(failures.NO_ANSWERS, VALUES).words
