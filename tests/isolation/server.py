"""The web process alone, over HTTP, with a database and a folder of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")


class Server:
    """`manage.py web`, without worker and reconciler: nothing moves by itself."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LORA_PIPELINE") and name != "DATABASE_URL"
        }
        self.environment = kept | {
            "LORA_PIPELINE_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
            "API_REQUESTS_PER_MINUTE": "1000000",
            **settings,
        }

    def start(self) -> None:
        self.manage("migrate", "-v", "0")
        with (self.var / "web.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, MANAGE, "web", "--port", str(self.port)],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "the web process does not answer"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/sign-in", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, MANAGE, *words],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def shell(self, code: str) -> Any:
        """What the last line that the code prints says, as JSON."""
        return json.loads(self.manage("shell", "-v", "0", "-c", code).splitlines()[-1])
