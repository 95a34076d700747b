"""What would grow for ever: cut, removed after its time, and named by the doctor."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.conf import settings as console
from django.db import connection
from django.utils import timezone

from lora_pipeline.models import TaskDeath
from lora_pipeline.operations import growth, retention
from tests.lora_pipeline.operations.test_deploy import DEPLOY
from training.launchers import local, outputs


def test_a_log_is_cut_and_three_old_ones_stay(tmp_path: Path):
    log = tmp_path / "server.log"
    assert not growth.rotate(log)
    with log.open("ab") as writer:  # as the server has it open
        for number in range(1, 6):
            writer.write(b"%d" % number * 100)
            writer.flush()
            assert not growth.rotate(log, most_bytes=100)
            writer.write(b"x")
            writer.flush()
            assert growth.rotate(log, most_bytes=100)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    kept = sorted(path.name for path in tmp_path.glob("server*"))
    assert kept == ["server.log", *(f"server.log.{n}" for n in (1, 2, 3))]
    assert (tmp_path / "server.log.1").read_bytes() == b"5" * 100 + b"x"
    assert (tmp_path / "server.log.3").read_bytes() == b"3" * 100 + b"x"
    assert (tmp_path / "server.log.1").stat().st_mode & 0o077 == 0


def test_the_embedded_servers_log_is_the_one_that_is_cut(settings, monkeypatch, db):
    [log] = growth.logs()
    assert log.is_file()
    [found] = growth.log_sizes()
    assert found.level == "ok"
    monkeypatch.setattr(growth, "MOST_LOG_BYTES", 1)
    [found] = growth.log_sizes()
    assert (found.level, found.part) == ("warning", "logs")
    assert str(log) in found.words
    settings.DATABASE_EMBEDDED = False
    assert growth.logs() == []


def test_a_trainers_output_keeps_its_end(settings, monkeypatch):
    monkeypatch.setattr(outputs, "MOST_BYTES", 1000)
    monkeypatch.setattr(outputs, "KEPT_BYTES", 100)
    job, run = uuid4(), uuid4()
    assert not outputs.bound_log(job, run)
    log = local.output_log(job, run)
    log.parent.mkdir(parents=True)
    with log.open("ab") as trainer:
        trainer.write(b"a" * 1000)
        trainer.flush()
        assert not outputs.bound_log(job, run)
        trainer.write(b"b" * 100)
        trainer.flush()
        assert outputs.bound_log(job, run)
        trainer.write(b"c")
    assert log.read_bytes() == outputs.CUT + b"b" * 100 + b"c"


def test_a_link_that_a_trainer_left_is_not_cut(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "MOST_BYTES", 10)
    job, run = uuid4(), uuid4()
    log = local.output_log(job, run)
    log.parent.mkdir(parents=True)
    other = tmp_path / "somebody's"
    other.write_bytes(b"x" * 100)
    log.symlink_to(other)
    assert not outputs.bound_log(job, run)
    assert other.stat().st_size == 100


@pytest.mark.django_db
def test_failed_tasks_and_sign_ins_go_after_their_time():
    with connection.cursor() as cursor:
        for status in ("failed", "cancelled", "todo"):
            for days in (1, 400):
                cursor.execute(
                    "INSERT INTO procrastinate_jobs (task_name, queue_name)"
                    " VALUES (%s, 'x') RETURNING id",
                    [f"{status} {days}"],
                )
                (task,) = cursor.fetchone()
                cursor.execute(
                    "UPDATE procrastinate_jobs SET status = %s WHERE id = %s",
                    [status, task],
                )
                cursor.execute(
                    "UPDATE procrastinate_events SET at = now() - %s WHERE job_id = %s",
                    [timedelta(days=days), task],
                )
    now, long_ago = timezone.now(), timezone.now() - timedelta(days=400)
    TaskDeath.objects.create(job_id=10**9, count=3, last_at=long_ago)
    TaskDeath.objects.create(job_id=10**9 + 1, count=3, last_at=now)
    for name in ("new", "old"):
        AccessAttempt.objects.create(username=name, failures_since_start=1)
    AccessAttempt.objects.filter(username="old").update(attempt_time=long_ago)
    planned = {f.what: f.count for f in retention.clean_up(dry_run=True)}
    freed = {f.what: f.count for f in retention.clean_up()}
    assert planned == freed
    assert freed["failed and cancelled tasks"] == 2
    assert freed["failed sign-ins"] == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE queue_name='x'")
        left = {name for (name,) in cursor.fetchall()}
    assert left == {"failed 1", "cancelled 1", "todo 1", "todo 400"}
    assert [death.job_id for death in TaskDeath.objects.all()] == [10**9 + 1]
    assert [attempt.username for attempt in AccessAttempt.objects.all()] == ["new"]


def test_the_guide_names_every_rule_and_everything_in_var(db):
    guide = (DEPLOY / "README.md").read_text()
    for setting in console.RETENTION_RULES:
        assert f"| `{setting}` |" in guide
    [table] = re.findall(r"\| in `var` \|.*?\n\n", guide, re.DOTALL)
    named = set(re.findall(r"`([a-z_-]+)", table))
    there = {path.name.partition(".")[0] for path in Path(console.VAR_DIR).iterdir()}
    assert there - {"up", "web"} <= named
