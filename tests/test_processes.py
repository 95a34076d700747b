"""What the web process is made of."""

import subprocess
import sys

HEAVY = {"torch", "transformers", "trl", "peft", "accelerate"}


def test_the_web_process_never_loads_the_trainers_packages():
    """A fresh interpreter loads the application and every address it knows."""
    code = (
        "import sys; from lora_pipeline.wsgi import application; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert {"django", "training"} <= loaded
    assert not HEAVY & loaded


def test_a_busy_port_is_said_before_anything_starts(tmp_path):
    import os
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", port],
            capture_output=True,
            text=True,
            env={**os.environ, "LORA_PIPELINE_VAR": str(tmp_path / "var")},
        )
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert not (tmp_path / "var").exists()
