"""From this release to the next and back, with a run under way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainer import conftest
from tests.trainer.conftest import ROOT, Console

pytestmark = [pytest.mark.trainer, pytest.mark.long]
PARTS = ["lora_pipeline", "datasets", "training", "notifications"]
PARTS += ["templates", "static"]
NEXT_MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("training", "0002_rules")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE training_jobs ADD COLUMN owner_team int NOT NULL DEFAULT 1;"
            "CREATE TABLE training_teams (id int)"
        )
    ]
"""


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """A copy of this one with a migration more."""
    tree = tmp_path / "next"
    for part in PARTS:
        shutil.copytree(ROOT / part, tree / part)
    for name in ("manage.py", "requirements-trainer.lock"):
        shutil.copy(ROOT / name, tree / name)
    migration = tree / "training" / "migrations" / "0003_next.py"
    migration.write_text(NEXT_MIGRATION)
    return tree


@pytest.fixture
def console(tmp_path, tiny_model):
    made = Console(tmp_path / "var")
    made.var.mkdir(mode=0o711)
    made.start()
    made.prepare(tiny_model)
    yield made
    made.close()


def manage(console: Console, *command: str) -> "subprocess.CompletedProcess[str]":
    run = [sys.executable, conftest.MANAGE, *command]
    return subprocess.run(
        run, env=console.environment, capture_output=True, text=True, timeout=120
    )


def test_a_run_goes_on_over_an_upgrade_and_the_old_program_refuses(
    console: Console, next_release: Path, monkeypatch
) -> None:
    job = console.start_job(console.upload(60), epochs=20)
    console.wait(lambda: console.job(job)["current_step"] > 5, 120)
    console.stop()
    assert console.pids("run")  # the trainer goes on without a console
    monkeypatch.setattr(conftest, "MANAGE", str(next_release / "manage.py"))
    console.start()
    assert console.shell(
        "from django.db import connection; "
        "print('training_teams' in connection.introspection.table_names())"
    ).endswith("True")
    console.wait(lambda: console.job(job)["status"] == "completed", 300)
    assert console.job(job)["artifact_id"]
    attempts = console.result(job)["attempts"]
    assert [outcome for _, outcome, _ in attempts] == ["completed"]
    console.stop()
    monkeypatch.undo()
    for command in (["up", "--port", str(console.port)], ["work"], ["reconcile"]):
        refused = manage(console, *command)
        assert refused.returncode != 0
        assert "training.0003_next" in refused.stderr + refused.stdout
    told = manage(console, "doctor")
    assert "training.0003_next" in told.stdout
    assert os.listdir(console.var / "storage" / "adapters")
