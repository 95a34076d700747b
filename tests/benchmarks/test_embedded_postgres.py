"""How long the embedded server takes to start: first and later; printed only."""

import subprocess
import sys
import time

CODE = (
    "import sys, time; from pathlib import Path; "
    "from lora_pipeline.postgres import embedded as e; began = time.monotonic(); "
    "e.hold(Path(sys.argv[1])); print(time.monotonic() - began); "
    "e.let_go(Path(sys.argv[1]))"
)


def test_first_and_later_starts(tmp_path):
    seconds = []
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(tmp_path / "var")],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds.append(float(done.stdout))
        time.sleep(0.2)
    later = sorted(seconds[1:])[2]
    print(f"\nembedded PostgreSQL: first start {seconds[0]:.2f} s, later {later:.2f} s")
