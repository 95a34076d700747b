"""Method options, honoured by real runs of the tiny model; and what runs teach."""

import importlib.util
import json
from pathlib import Path

import pytest

from training.domain.estimator.batches import LengthHistogram, packed

TRAINER = Path(__file__).resolve().parents[2] / "training" / "trainer"
ADD = """
from django.core.management import call_command
call_command("add_base_model", {path!r}, id="tests/tiny", name="tiny")
"""
LOG = """
from training.models import JobEvent
print(*JobEvent.objects.filter(job_id={job!r}).values_list("message", flat=True))
"""
RECORD = """
import json
from training.models import CalibrationCell, CalibrationRecord
record = CalibrationRecord.objects.get(job_id={job!r})
print(json.dumps({{
    "outcome": record.outcome,
    "method": record.method,
    "measured": record.measured,
    "time": record.time_residual,
    "memory": record.memory_residual,
    "setup": record.setup,
    "targets": sorted(set(CalibrationCell.objects.values_list("target", flat=True))),
}}))
"""


def packing():
    spec = importlib.util.spec_from_file_location("packing", TRAINER / "packing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(5))
def test_the_trainer_packs_into_as_many_rows_as_the_estimate_says(seed):
    import random

    chance = random.Random(seed)
    lengths = [min(int(chance.lognormvariate(4.5, 0.8)) + 1, 512) for _ in range(400)]
    rows = [{"input_ids": [1] * n, "labels": [1] * n} for n in lengths]
    found = packing().pack(rows, 512)
    counts = sorted((n, lengths.count(n)) for n in set(lengths))
    said = packed(LengthHistogram.of(counts), 512)
    assert len(found) == said.pairs
    assert sorted(len(row["input_ids"]) for row in found) == [
        n for n, c in zip(said.lengths, said.counts, strict=True) for _ in range(c)
    ]
    assert sorted(n for row in found for n in row["seq_lengths"]) == sorted(lengths)
    assert all(sum(row["seq_lengths"]) == len(row["labels"]) for row in found)


@pytest.fixture(scope="module")
def known(own_console, tiny_model):
    own_console.shell(ADD.format(path=str(tiny_model)))
    return own_console


@pytest.fixture(scope="module")
def dataset(known):
    return known.upload(67)


def finished(console, dataset, **values):
    job = console.start_job(dataset, epochs=4, hyperparameters=values)
    ended = console.wait_for_end(job, 180)
    assert ended["status"] == "completed", ended["error_message"]
    return ended | console.result(job) | {"record": record_of(console, job)}


def log_of(console, job):
    return console.shell(LOG.format(job=job))


def record_of(console, job):
    return json.loads(console.shell(RECORD.format(job=job)))


@pytest.mark.long
@pytest.mark.trainer
def test_a_run_writes_one_record_and_moves_the_next_estimate(known, dataset):
    ended = finished(known, dataset)
    record = ended["record"]
    assert (record["outcome"], record["method"]) == ("completed", "lora")
    measured = record["measured"]
    assert measured["steps"] == ended["total_steps"] - 1
    assert 0 < measured["step_seconds_p50"] <= measured["step_seconds_p90"]
    assert measured["padded_tokens"] >= measured["real_tokens"] > 0
    assert measured["peak_resident_bytes"] > 1e8
    assert {"start", "load_model", "first_step", "training", "save"} <= set(
        measured["parts_seconds"]
    )
    total = sum(measured["parts_seconds"].values())
    assert total == pytest.approx(measured["seconds"], abs=5)
    assert record["time"] is not None
    assert record["memory"] is not None
    assert {"time", "memory", "start"} <= set(record["targets"])
    assert record["setup"]["dimensions"]["layers"] == 2
    body = {
        "dataset_id": dataset,
        "base_model": "tests/tiny",
        "gpu_config": {"type": "CPU", "count": 1},
        "hyperparameters": {
            "learning_rate": 0.001,
            "batch_size": 4,
            "epochs": 4,
            "rank": 4,
        },
    }
    after = known.api("/jobs/estimate", body)
    assert after["basis"] == "measured"
    assert after["evidence"]["similar_runs"] == 1


@pytest.mark.long
@pytest.mark.trainer
def test_the_tiny_model_trains_in_nf4_on_a_processor(known, dataset):
    ended = finished(known, dataset, method="qlora")
    assert ended["plan"]["method"] == ended["record"]["method"] == "qlora"
    assert ended["points"][-1][1] < ended["points"][0][1] - 0.1
    assert "qlora" in log_of(known, ended["id"])


@pytest.mark.long
@pytest.mark.trainer
def test_a_packed_run_takes_the_steps_that_were_counted(known, dataset):
    values = {"packing": True, "max_length": 256, "gradient_checkpointing": True}
    ended = finished(known, dataset, micro_batch=2, **values)
    assert ended["plan"]["packing"]
    assert ended["plan"]["gradient_accumulation"] == 2
    assert len(ended["points"]) == ended["total_steps"] < 60
    assert ended["points"][-1][1] < ended["points"][0][1] - 0.1
    assert "micro-batch 2" in log_of(known, ended["id"])


@pytest.mark.long
@pytest.mark.trainer
def test_checkpointing_and_micro_batches_change_no_loss(known, dataset):
    plain = finished(known, dataset, dropout=0.0)
    cut = finished(
        known, dataset, dropout=0.0, micro_batch=1, gradient_checkpointing=True
    )
    assert cut["plan"]["gradient_accumulation"] == 4
    for one, other in zip(plain["points"], cut["points"], strict=True):
        assert other[1] == pytest.approx(one[1], abs=2e-3)
