"""200 runs that report 5 steps a second each: stored whole while pages answer."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.trainer.conftest import MANAGE, Console

RUNS, SECONDS, EVENTS = 200, int(os.environ.get("INGEST_SECONDS", "60")), 5
PREPARE = f"""
import json
from django.utils import timezone
from datasets.models import Dataset
from lora_pipeline.models import User
from lora_pipeline.accounts.services import create_api_key, hash_secret
from training.domain.config import fill_defaults
from training.models import RunAttempt, TrainingJob
owner = User.objects.create_user("owner", password="correct horse battery")
dataset = Dataset.objects.create(
    user=owner, name="d", format="openai_chat", status="ready", training_ready=True,
    file_name="d", total_training_pairs=1000, total_validation_pairs=100,
    total_tokens=400_000,
)
values = fill_defaults(
    {{"learning_rate": 0.00005, "batch_size": 4, "epochs": 3, "rank": 16}}
).as_dict()
runs = []
for n in range({RUNS}):
    job = TrainingJob.objects.create(
        user=owner, dataset=dataset, name=f"run {{n}}", preset_id="balanced",
        base_model_id="HuggingFaceTB/SmolLM2-135M-Instruct", hyperparameters=values,
        gpu_config={{"type": "CPU", "count": 1}}, total_epochs=3, total_steps=100_000,
        queued_at=timezone.now(), usd_per_gpu_hour=1, storage_usd=0, status="running",
        current_stage="training", estimated_total_cost=0, estimated_hours=1,
    )
    attempt = RunAttempt.objects.create(
        job=job, number=1, token_hash=hash_secret(f"token-{{n}}"),
        started_at=timezone.now(), last_event_at=timezone.now(),
    )
    runs.append([str(attempt.pk), str(job.pk)])
print(json.dumps([create_api_key(owner=owner, name="t")[1], runs]))
"""
STORED = """
from django.db.models import Count, Max
from training.models import MetricPoint, RunAttempt
rows = MetricPoint.objects.values("job").annotate(n=Count("pk"), last=Max("step"))
whole = all(row["n"] == row["last"] for row in rows)
print(MetricPoint.objects.count(), whole,
      sum(RunAttempt.objects.values_list("last_sequence", flat=True)))
"""


def body(run: int, post: int) -> bytes:
    """Five steps as the trainer reports them."""
    first = post * EVENTS + 1
    events = [
        {
            "sequence": n,
            "type": "metrics",
            "at": "2026-01-01T00:00:00.000000+00:00",
            "step": n,
            "epoch": n / 1000,
            "loss": 2.0 / n,
            "learning_rate": 5e-05,
            "grad_norm": 0.7,
            "tokens_seen": n * 900,
            "tokens_per_second": 1800.5,
            "step_seconds": 0.2,
        }
        for n in range(first, first + EVENTS)
    ]
    return json.dumps({"events": events}).encode()


async def request(port: int, method: str, path: str, token: str, content=b"") -> float:
    """Seconds that a request took, on a connection of its own as trainers have it."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200"), answer[:500]
    return time.monotonic() - began


async def report(port: int, number: int, run: str, began: float) -> list[tuple]:
    """One run: a post a second, each after the one before; how late and how long."""
    found = []
    for post in range(SECONDS):
        due = began + post + number / RUNS
        await asyncio.sleep(max(due - time.monotonic(), 0))
        path, token = f"/api/runs/{run}/events", f"token-{number}"
        seconds = await request(port, "POST", path, token, body(number, post))
        found.append((time.monotonic() - due, seconds))
    return found


async def read_pages(port: int, key: str, job: str, until: float) -> list[float]:
    found = []
    while time.monotonic() < until:
        for path in ("/api/jobs?limit=20", f"/api/jobs/{job}"):
            found.append(await request(port, "GET", path, key))
        await asyncio.sleep(0.5)
    return found


async def load(port: int, key: str, runs) -> tuple[list[tuple], list[float], float]:
    """Posts, pages, and the seconds from the first post due to the last answer."""
    began = time.monotonic() + 0.5
    reports = [report(port, n, run, began) for n, (run, _) in enumerate(runs)]
    pages = read_pages(port, key, runs[0][1], began + SECONDS)
    *posts, read = await asyncio.gather(*reports, pages)
    wall = time.monotonic() - began
    return [post for run in posts for post in run], read, wall


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def test_ingest_of_two_hundred_runs(tmp_path):
    console = Console(tmp_path, API_REQUESTS_PER_MINUTE="1000000", LOG_LEVEL="WARNING")
    command = [sys.executable, MANAGE, "migrate", "-v", "0"]
    subprocess.run(command, env=console.environment, check=True)
    workers = os.environ.get("INGEST_WORKERS", "2")
    web = subprocess.Popen(
        [
            sys.executable,
            MANAGE,
            "web",
            "--port",
            str(console.port),
            f"--workers={workers}",
        ],
        env=console.environment,
    )
    try:
        console.wait(console._answers, 30)
        key, runs = json.loads(console.shell(PREPARE))
        pids = console.pids("web")
        before = cpu_seconds(pids)
        posts, pages, wall = asyncio.run(load(console.port, key, runs))
        cpu = cpu_seconds(pids) - before
        stored, whole, sequence = console.shell(STORED).split()
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(20)
    late = sorted(late for late, _ in posts)
    print(
        f"\ningest, {workers} web processes, {RUNS} runs: {len(posts) / wall:.0f} "
        f"posts/s of {EVENTS} for {wall:.1f} s; answered after "
        f"{1000 * statistics.median(s for _, s in posts):.0f} ms in the median, "
        f"{1000 * late[int(len(late) * 0.99)]:.0f} ms p99; stored {stored} points; "
        f"web CPU {1000 * cpu / len(posts):.1f} ms a post; pages "
        f"{1000 * statistics.median(pages):.0f} ms in the median, "
        f"{1000 * max(pages):.0f} ms at worst, of {len(pages)}"
    )
    assert int(stored) == int(sequence) == RUNS * SECONDS * EVENTS
    assert whole == "True"
    assert late[-1] < 5.0
    assert wall < SECONDS + 5
