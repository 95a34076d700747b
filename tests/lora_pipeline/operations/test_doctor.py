"""The doctor's words: what is in order, what is not, and what to do."""

import io
import json

import pytest
from django.core.management import call_command
from django.db import connection

from lora_pipeline.operations import doctor
from lora_pipeline.postgres.backend import pooling
from tests.factories import DatasetFactory
from tests.lora_pipeline.operations.test_probes import all_there
from tests.trainer.conftest import TRAINER_PYTHON
from training.operators import doctor as machine_doctor
from training.runs import draining

__all__ = ["all_there"]


@pytest.fixture(autouse=True)
def no_trainer_asked(settings, tmp_path):
    """Its imports take seconds; one test below asks the real one."""
    settings.TRAINER_PYTHON = tmp_path / "none"


def found(part: str) -> list:
    return [finding for finding in doctor.examine() if finding.part == part]


def test_parts_that_work_are_ok(all_there):
    by_part = {finding.part: finding.level for finding in doctor.examine()}
    for part in ("database", "migrations", "worker", "reconciler", "storage", "clock"):
        assert by_part[part] == "ok"


def test_a_policy_that_is_missing_is_a_fault(all_there):
    assert [finding.level for finding in found("roles")] == ["ok"]
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE; DROP POLICY datasets_owner ON datasets")
        cursor.execute("SET ROLE lp_operator")
    [finding] = found("roles")
    assert finding.level == "fault"
    assert "datasets" in finding.words


@pytest.mark.django_db
def test_faults_are_said_with_a_remedy_and_end_with_status_1():
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=said)
    assert ended.value.code == 1
    lines = said.getvalue().splitlines()
    assert any(line.startswith("fault") and "manage.py work" in line for line in lines)
    assert any("make install-trainer" in line for line in lines)
    assert "errors" in lines[-1]


@pytest.mark.django_db
def test_json_is_the_same_report():
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=said)
    report = json.loads(said.getvalue())
    levels = [finding["level"] for finding in report["findings"]]
    assert report["faults"] == levels.count("fault") > 0
    assert report["warnings"] == levels.count("warning")


def test_a_draining_machine_is_a_warning_that_names_who(all_there):
    assert found("drain") == []
    draining.drain(by="ada")
    [finding] = found("drain")
    assert finding.level == "warning"
    assert "ada" in finding.words
    assert "--undo" in finding.remedy


def test_a_mail_server_that_refuses_is_a_fault(all_there, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    [finding] = found("mail")
    assert finding.level == "fault"
    assert "127.0.0.1:1" in finding.words


@pytest.mark.parametrize(
    ("free_gib", "level"), [(0.5, "fault"), (5, "warning"), (50, "ok")]
)
def test_little_room_is_told_before_there_is_none(monkeypatch, free_gib, level):
    usage = doctor.shutil.disk_usage("/")._replace(free=int(free_gib * 2**30))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    assert {finding.level for finding in doctor.disks()} == {level}


@pytest.mark.parametrize(
    ("seen", "there", "level"), [(0, 0, "ok"), (1, 1, "ok"), (0, 1, "fault")]
)
def test_a_gpu_that_torch_does_not_see_is_a_fault(seen, there, level):
    assert machine_doctor.gpus(seen, there).level == level


def test_another_version_than_the_locked_is_told():
    [finding] = machine_doctor.versions({"torch": "2.0.0", "peft": "0.21.2"})
    assert finding.level == "warning"
    assert "torch 2.0.0 (locked: " in finding.words
    assert "peft" not in finding.words


def test_a_check_that_breaks_is_a_finding_and_stops_nothing(all_there, monkeypatch):
    def broken():
        raise RuntimeError("away")
        yield

    monkeypatch.setattr(doctor, "CHECKS", [doctor.Check(broken), *doctor.CHECKS])
    findings = list(doctor.examine())
    assert [f.words for f in findings if f.part == "broken"] == ["check failed: away"]
    assert any(finding.part == "clock" for finding in findings)


def test_no_words_of_a_user_are_in_the_report(all_there, owner):
    DatasetFactory(user=owner, name="secret chats")
    assert not [f for f in doctor.examine() if "secret chats" in str(f)]


@pytest.mark.long
@pytest.mark.trainer
def test_the_real_trainer_loads_in_the_locked_versions(settings):
    settings.TRAINER_PYTHON = TRAINER_PYTHON
    by_part = {finding.part: finding for finding in machine_doctor.trainer()}
    assert by_part["trainer"].level == "ok", by_part["trainer"]
    assert "torch " in by_part["trainer"].words
    assert by_part["gpu"].level == "ok"


def test_a_pooler_that_loses_settings_is_a_fault(all_there, settings, monkeypatch):
    assert [finding.level for finding in found("roles")] == ["ok"]
    settings.DATABASE_EMBEDDED = False
    monkeypatch.setattr(pooling, "loses_settings", lambda: True)
    [finding] = found("roles")
    assert finding.level == "fault"
    assert "pool_mode = session" in finding.remedy


def test_a_server_with_hardly_a_connection_left_is_a_warning(all_there, monkeypatch):
    assert [finding.level for finding in found("connections")] == ["ok"]
    monkeypatch.setattr(doctor, "FULL_SHARE", 0.0)
    [finding] = found("connections")
    assert finding.level == "warning"
    assert "max_connections" in finding.remedy
