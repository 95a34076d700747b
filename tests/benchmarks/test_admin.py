"""Every list of the admin, its search, its last page at 1 000 000 jobs; printed."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.benchmarks.admin_rows import FILL
from tests.trainer.conftest import ROOT, Console

MANY = int(os.environ.get("BENCH_JOBS", "1000000"))
SLOWEST_SECONDS = 2.0
DATABASE_LINGERS_SECONDS = 15
PREPARE = """
from lora_pipeline.models import User
User.objects.create_superuser('root', password='x')
"""


@pytest.fixture
def folder():
    """Open to the database's account, and gone afterwards: it holds some gigabytes."""
    made = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_FOLDER")))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def console(folder):
    one = Console(folder)
    one.environment |= {"PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR"}
    one.start()
    yield one
    one.stop()
    time.sleep(DATABASE_LINGERS_SECONDS)


def fill(console: Console) -> None:
    began = time.monotonic()
    console.shell(f"from tests.benchmarks.make_jobs import fill; fill({MANY})")
    console.shell(FILL)
    print(f"\n{MANY:,} jobs with all their rows in {time.monotonic() - began:.0f} s")


def measured(console: Console) -> list[str]:
    script = str(ROOT / "tests" / "benchmarks" / "admin_pages.py")
    done = subprocess.run(
        [sys.executable, script],
        env=console.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_no_list_of_the_admin_feels_a_million_jobs(console):
    console.shell(PREPARE)
    fill(console)
    slow = []
    for line in measured(console):
        name, found = json.loads(line)
        words = ", ".join(f"{what} {took * 1000:.0f}" for what, took in found.items())
        print(f"{name:>20}, ms: {words}")
        slow += [(name, what) for what, took in found.items() if took > SLOWEST_SECONDS]
    assert slow == []
