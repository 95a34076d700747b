"""A real console in a folder of its own, with a tiny base model."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from training.domain.lifecycle import FINAL, STATUSES

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
TRAINER_PYTHON = ROOT / ".venv-trainer" / "bin" / "python"
MODEL = "tests/tiny"
OPEN_STATUSES = [status for status in STATUSES if status not in FINAL]
PREPARE = """
from training.models import BaseModel
BaseModel.objects.create(id={model!r}, name="tiny", source="folder", path={path!r})
"""
ENTER = """
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import User
owner = User.objects.create_user({owner!r}, password="correct horse battery")
print(create_api_key(owner=owner, name="tests")[1])
"""
METRICS = """
import json
from training.models import TrainingJob
job = TrainingJob.objects.get(pk={job!r})
print(json.dumps(default=str, obj={{
    "points": list(job.metrics.values_list("step", "loss", "tokens_seen")),
    "attempts": list(
        job.attempts.values_list("number", "outcome", "resumed_from_step")
    ),
    "adapter": job.artifact and job.artifact.adapter_sha256,
    "facts": list(job.attempts.values_list("facts", flat=True)),
    "evaluations": list(
        job.metrics.exclude(validation_loss=None).values_list(
            "step", "validation_loss"
        )
    ),
    "history": list(
        job.events.filter(kind="status").values_list("from_status", "to_status", "by")
    ),
    "charged": [
        [a.charged, a.running_seconds, a.failure_kind] for a in job.attempts.all()
    ],
    "cost": list(job.__class__.objects.filter(pk=job.pk).values_list(
        "cost_record__running_seconds", "cost_record__total_usd", "final_cost"
    ))[0],
}}))
"""


class Console:
    """`manage.py up` in a folder and on a port of its own."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LORA_PIPELINE") and name != "DATABASE_URL"
        } | {
            "LORA_PIPELINE_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
            "API_REQUESTS_PER_MINUTE": "1000000",
            "ADDRESS_REQUESTS_PER_MINUTE": "1000000",
            "CHECKPOINT_EVERY_STEPS": "20",
            "RUN_RETRY_SECONDS": "0",
            "TRAINER_THREADS": "1",
            "TRAINER_PYTHON": str(TRAINER_PYTHON),
        }
        self.environment |= settings
        self.owner = self.key = ""

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, MANAGE, "up", "--port", str(self.port)],
            env=self.environment,
            stdout=(self.var / "up.log").open("a"),
            stderr=subprocess.STDOUT,
        )
        self.wait(self._answers, 90)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/sign-in", timeout=2).close()
        except OSError:
            return False
        return True

    def stop(self) -> float:
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return time.monotonic() - began

    def end_runs(self) -> None:
        """A run outlives its console, but no test."""
        for pid in self.pids("run"):
            os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """End all that may still run."""
        if self.process.poll() is None:
            self.stop()
        self.end_runs()

    def shell(self, code: str) -> str:
        command = [sys.executable, MANAGE, "shell", "-v", "0", "-c", code]
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    def prepare(self, model: Path) -> None:
        self.enter("owner", PREPARE.format(model=MODEL, path=str(model)))

    def enter(self, owner: str, before: str = "") -> None:
        """Go on as a user who has nothing yet."""
        self.owner = owner
        self.key = self.shell(before + ENTER.format(owner=owner))

    def leave(self) -> None:
        """End what the user has open: the next one finds the machine free."""
        open_ones = "&".join(f"status={status}" for status in OPEN_STATUSES)
        patience = time.monotonic() + 10

        def cancel_all() -> bool:
            found = self.api(f"/jobs?limit=100&{open_ones}")["jobs"]
            for job in found:
                with contextlib.suppress(urllib.error.HTTPError):  # it is ending
                    self.act(job["id"], "cancel")
                if time.monotonic() > patience:
                    self.kill_trainer(job["id"])
            return not found

        self.wait(cancel_all, 120)

    def kill_trainer(self, job_id: str) -> None:
        """End a trainer that keeps asking for what is not there, such as its data."""
        with contextlib.suppress(OSError, ValueError):
            group = (self.var / "runs" / job_id / "group").read_text()
            os.killpg(int(group), signal.SIGKILL)

    def api(self, path: str, body=None, kind: str = "application/json"):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}"}
        headers |= {"Content-Type": kind} if body is not None else {}
        request = urllib.request.Request(f"{self.url}/api{path}", body, headers)
        for _ in range(100):
            try:
                return json.load(urllib.request.urlopen(request, timeout=20))["data"]
            except urllib.error.HTTPError:
                raise
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the console does not answer")

    def upload(self, rows: int) -> str:
        return self.upload_rows([{"messages": chat(n)} for n in range(rows)])

    def upload_rows(self, rows: list[dict]) -> str:
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        body = (
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"'
            f"\r\n\r\n{lines}\r\n--x--\r\n"
        ).encode()
        found = self.api("/datasets", body, "multipart/form-data; boundary=x")
        path = f"/datasets/{found['id']}"
        self.wait(lambda: self.api(path)["status"] == "ready", 60)
        return found["id"]

    def start_job(self, dataset: str, *, epochs: int = 4, **changes) -> str:
        values = {"learning_rate": 0.001, "batch_size": 4, "epochs": epochs, "rank": 4}
        values |= changes.pop("hyperparameters", {})
        body = {
            "dataset_id": dataset,
            "preset_id": "custom",
            "base_model": MODEL,
            "gpu_config": {"type": "CPU", "count": 1},
            "hyperparameters": values,
        }
        return self.api("/jobs", body | changes)["id"]

    def act(self, job: str, what: str, **body) -> dict:
        return self.api(f"/jobs/{job}/{what}", body)

    def job(self, job: str) -> dict:
        return self.api(f"/jobs/{job}")

    def wait_for_step(self, job: str, step: int) -> None:
        self.wait(lambda: self.job(job)["current_step"] >= step, 120)

    def wait_for_status(self, job: str, status: str, seconds: float = 60) -> dict:
        self.wait(lambda: self.job(job)["status"] == status, seconds)
        return self.job(job)

    def wait_for_end(self, job: str, seconds: float = 240, pause: float = 0.05) -> dict:
        """The ended job, asked for every `pause` seconds."""
        ended = {"completed", "failed", "cancelled"}
        self.wait(lambda: self.job(job)["status"] in ended, seconds, pause)
        return self.job(job)

    def result(self, job: str) -> dict:
        return json.loads(self.shell(METRICS.format(job=job)))

    def pids(self, command: str) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                environment = (folder / "environ").read_bytes().decode()
            except OSError:
                continue
            if command in words and str(self.var) in environment + " ".join(words):
                found.append(int(folder.name))
        return found

    def trainer_pid(self, job: str) -> int:
        return int((self.var / "runs" / job / "pid").read_text())

    def job_attempts(self, job: str) -> list[Path]:
        folder = self.var / "runs" / job / "attempts"
        return list(folder.iterdir()) if folder.is_dir() else []

    def notices(self) -> list[dict]:
        code = (
            "import json; from notifications.models import Notification as N; "
            "print(json.dumps(list(N.objects.values('type', 'message'))))"
        )
        return json.loads(self.shell(code))

    def killed(self, job: str) -> None:
        os.kill(self.trainer_pid(job), signal.SIGKILL)

    @staticmethod
    def wait(condition, seconds: float, pause: float = 0.05) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(pause)


def stub_settings(folder: Path) -> dict[str, str]:
    """Settings that put the stub in the trainer's place."""
    script = folder / "stub"
    program = ROOT / "tests" / "trainer" / "stub_trainer.py"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
    script.chmod(0o755)
    (folder / "stub_step_seconds").write_text("0.02")
    return {"TRAINER_PYTHON": str(script), "RECONCILE_SECONDS": "0.2"}


def chat(n: int) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"question {n} of the lamp"},
        {"role": "assistant", "content": f"the answer {n * 7 % 10} of the lamp"},
    ]
