"""A second console in one folder is refused, and says who runs there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from lora_pipeline.operations import safety
from lora_pipeline.processes.alone import alone, require_alone, who_runs


def test_the_second_is_refused_by_the_process_of_the_first(tmp_path: Path) -> None:
    require_alone(tmp_path)
    assert not (tmp_path / "up.lock").exists()
    with alone(tmp_path, "http://127.0.0.1:8000"):
        for begin in (lambda: require_alone(tmp_path), alone(tmp_path, "x").__enter__):
            with pytest.raises(CommandError) as refused:
                begin()
            words = f"process {os.getpid()} at http://127.0.0.1:8000"
            assert words in str(refused.value)
            assert str(tmp_path) in str(refused.value)
    require_alone(tmp_path)
    with alone(tmp_path, "http://127.0.0.1:8001"):
        assert who_runs(tmp_path).endswith(":8001")


def test_a_killed_console_leaves_the_folder_free(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; "
        "from lora_pipeline.processes.alone import alone; "
        "alone(Path(sys.argv[1]), 'x').__enter__(); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert (tmp_path / "up.lock").read_text().startswith("process ")
    require_alone(tmp_path)


def test_up_says_so_before_the_port_and_the_database(tmp_path: Path) -> None:
    with alone(tmp_path, "http://127.0.0.1:9"):
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", "9"],
            capture_output=True,
            text=True,
            env={**os.environ, "LORA_PIPELINE_VAR": str(tmp_path)},
        )
    assert done.returncode == 1
    assert f"process {os.getpid()} at http://127.0.0.1:9" in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_doctor_names_the_console(tmp_path: Path, settings) -> None:
    settings.VAR_DIR = tmp_path
    with alone(tmp_path, "http://127.0.0.1:8000"):
        [finding] = safety.console()
    assert str(os.getpid()) in finding.words
