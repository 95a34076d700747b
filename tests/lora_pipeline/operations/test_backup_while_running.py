"""A backup during a run, everything wiped, restored, and the run goes on."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from lora_pipeline.postgres import embedded
from tests.trainer.conftest import MANAGE, Console

pytestmark = [pytest.mark.trainer, pytest.mark.long]
ROWS, EPOCHS, ONE_BY_ONE = 67, 20, {"batch_size": 1}
POLICIES = """
from django.db import connection
cursor = connection.cursor()
cursor.execute("SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2")
print(cursor.fetchall())
cursor.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
print([row for row in cursor.fetchall() if row[0].startswith("auth")])
cursor.execute(
    "SELECT defaclobjtype, a::text FROM pg_default_acl, unnest(defaclacl) a"
    " ORDER BY 1, 2"
)
print(cursor.fetchall())
cursor.execute(
    "SELECT relname, a::text FROM pg_class, unnest(relacl) a"
    " WHERE relnamespace = 'public'::regnamespace ORDER BY 1, 2"
)
print(cursor.fetchall())
"""


def manage(console: Console, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, MANAGE, *arguments],
        env=console.environment,
        capture_output=True,
        text=True,
    )


def test_all_comes_back_and_the_job_goes_on(own_server, tmp_path, tiny_model):
    var, target = own_server, tmp_path / "kept"
    console = Console(var)
    console.start()
    console.prepare(tiny_model)
    try:
        dataset = console.upload(ROWS)
        done = console.start_job(dataset, epochs=1)
        before = console.wait_for_end(done)
        job = console.start_job(dataset, epochs=EPOCHS, hyperparameters=ONE_BY_ONE)
        console.wait_for_step(job, 45)
        made = manage(console, "backup", str(target))
        assert made.returncode == 0, made.stderr
        assert console.job(job)["status"] == "running"
        console.wait_for_step(job, console.job(job)["current_step"] + 5)
        rules = console.shell(POLICIES)
        refused = manage(console, "restore", str(target), "--replace")
        assert refused.returncode == 1
        assert "Stop the console first" in refused.stderr
    finally:
        console.stop()
    busy = manage(console, "restore", str(target), "--replace")
    assert "A trainer is still running" in busy.stderr
    os.kill(console.trainer_pid(job), signal.SIGKILL)
    console.wait(lambda: not console.pids("run"), 10)
    places = embedded.find_places(var)
    console.wait(lambda: not (places.data / "postmaster.pid").exists(), 30)
    for kept in (places.root, var):
        shutil.rmtree(kept, ignore_errors=True)
    var.mkdir()

    restored = manage(console, "restore", str(target))
    assert restored.returncode == 0, restored.stderr
    console.start()
    try:
        assert console.shell(POLICIES) == rules
        ended = console.wait_for_end(job) | console.result(job)
        assert ended["status"] == "completed", ended["error_message"]
        assert [a[1] for a in ended["attempts"]] == ["lost", "completed"]
        assert ended["attempts"][1][2] >= 40
        steps = [point[0] for point in ended["points"]]
        assert steps == list(range(1, ended["total_steps"] + 1))
        assert console.job(done)["artifact_id"] == before["artifact_id"]
        rows = console.api(f"/datasets/{dataset}/examples")
        assert rows
        again = console.wait_for_end(console.start_job(dataset, epochs=1))
        assert again["status"] == "completed"
    finally:
        console.stop()
        console.end_runs()
