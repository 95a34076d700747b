"""Estimate, create and list under load, and the list over 1 000 000 jobs; printed."""

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time

import pytest

from tests.trainer.conftest import ROOT, Console

REQUESTS = 640
MOST = {"estimate": 15, "list": 18}
"""Times the CPU of /healthz, in one process."""
MANY = 1_000_000
PREPARE = """
from lora_pipeline.models import User
from lora_pipeline.accounts.services import create_api_key
from tests.benchmarks.make_jobs import make_jobs
for name, count in (("thousand", 1000), ("two-thousand", 2000)):
    if not User.objects.filter(username=name).exists():
        make_jobs(name, count)
    user = User.objects.get(username=name)
    print(create_api_key(owner=user, name="bench")[1], user.datasets.get().pk)
"""


@pytest.fixture
def start(tmp_path):
    """Starts consoles, each with a database of its own."""
    made: list[Console] = []

    def started(name: str) -> Console:
        (tmp_path / name).mkdir()
        made.append(one := Console(tmp_path / name))
        one.environment |= {
            "API_REQUESTS_PER_MINUTE": "10000000",
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        one.start()
        return one

    yield started
    for one in made:
        one.stop()


def keys_and_datasets(console) -> list[list[str]]:
    return [line.split() for line in console.shell(PREPARE).splitlines()]


def load(console, connections, method, path, body, key, requests=REQUESTS):
    """Seconds of each request, over so many reused connections."""
    seconds: list[float] = []
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def work() -> None:
        link = http.client.HTTPConnection("127.0.0.1", console.port, timeout=60)
        for _ in range(requests // connections):
            began = time.perf_counter()
            link.request(method, path, body, headers)
            answer = link.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - began)
            assert answer.status in {200, 201}, answer.status
        link.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seconds) == requests // connections * connections
    return sorted(seconds)


def in_words(seconds: list[float]) -> str:
    median = statistics.median(seconds) * 1000
    p99 = seconds[int(len(seconds) * 0.99)] * 1000
    return f"median {median:6.1f} ms, p99 {p99:6.1f} ms"


def test_estimate_create_and_list(start):
    console = start("load")
    (key, dataset), _ = keys_and_datasets(console)
    body = json.dumps(
        {
            "dataset_id": dataset,
            "preset_id": "balanced",
            "gpu_config": {"type": "A100-80GB", "count": 2},
            "hyperparameters": {
                "batch_size": 4,
                "epochs": 3,
                "learning_rate": 0.00005,
                "rank": 16,
            },
        }
    )
    operations = {
        "estimate": ("POST", "/api/jobs/estimate", body),
        "create": ("POST", "/api/jobs", body),
        "list": ("GET", "/api/jobs", None),
    }
    print()
    for name, (method, path, sent) in operations.items():
        for connections in (1, 16):
            seconds = load(console, connections, method, path, sent, key)
            print(f"{name:>9}, {connections:2} connections: {in_words(seconds)}")
    script = str(ROOT / "tests" / "benchmarks" / "api_parts.py")
    done = subprocess.run(
        [sys.executable, script, key, dataset],
        env=console.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    print("CPU by part, ms:")
    for name, spent in found["parts"].items():
        plain = spent.pop("plain SQL")
        words = ", ".join(f"{part} {ms:.2f}" for part, ms in spent.items())
        print(f"{name:>9}: {words}; its SQL alone {plain:.2f}")
    alive = found["whole"]["healthz"]
    for name, spent in found["whole"].items():
        print(f"{name:>9}: {spent:.2f} ms, {spent / alive:.1f} times /healthz")
    for name, most in MOST.items():
        assert found["whole"][name] / alive <= most


def first_page(console, key: str) -> float:
    """The median of 100 requests, in milliseconds."""
    seconds = load(console, 1, "GET", "/api/jobs", None, key, requests=100)
    return statistics.median(seconds) * 1000


def test_the_first_page_does_not_feel_a_million_jobs(start):
    """Interleaved, so that what else the machine does falls on all alike."""
    few, many = start("few"), start("many")
    (few_key, _), _ = keys_and_datasets(few)
    (one_key, _), (two_key, _) = keys_and_datasets(many)
    began = time.monotonic()
    many.shell(f"from tests.benchmarks.make_jobs import fill; fill({MANY})")
    print(f"\n{MANY:,} jobs made in {time.monotonic() - began:.0f} s")
    pages = [(few, few_key), (many, one_key), (many, two_key)]
    rounds = [[first_page(*page) for page in pages] for _ in range(9)]
    small, one, two = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"first page of 1,000 own jobs among 3,000: {small:.1f} ms")
    print(f"first page of 1,000 own jobs among 1,003,000: {one:.1f} ms")
    print(f"first page of 2,000 own jobs among 1,003,000: {two:.1f} ms")
    print(f"2,000 own against 1,000 own: {two / one:.2f} times")
    print(f"2,000 own in the large table against the small: {two / small:.2f} times")
