"""`make chaos`: many real runs while everything that carries them is killed.

Trainers, worker, reconciler, web server and database die by SIGKILL at random moments;
some trainers are stopped by SIGSTOP, some run folders lie on a full disk. At the end
every job must have its right end, and its numbers must be those of a run that nobody
disturbed.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.trainer.chaos_checks import check, end_state
from tests.trainer.chaos_killers import LockWatch, ServiceKiller, TrainerKiller
from tests.trainer.conftest import ROOT, TRAINER_PYTHON, Console

ROWS, EPOCHS, SLOTS = 67, 4, 2
PRICE = """
from training.models import GpuType
GpuType.objects.filter(pk="CPU").update(usd_per_hour="3.60", storage_cost=True)
"""
FULL = (("at once", 8), ("at a checkpoint", 160))


@dataclass(slots=True)
class Fate:
    """What is to befall one run, and how its job must end."""

    kills: int = 0
    stopped: bool = False
    disk: tuple[str, int] | None = None
    control: str = ""

    @property
    def end(self) -> str:
        if self.disk is not None:
            return "failed"
        return "cancelled" if self.control == "cancel" else "completed"

    def words(self) -> str:
        parts = [f"{self.kills} kills"] if self.kills else []
        parts += ["SIGSTOP"] if self.stopped else []
        parts += [f"disk full {self.disk[0]}"] if self.disk else []
        parts += [self.control] if self.control else []
        return ", ".join(parts) or "only what befalls all"


@dataclass(slots=True)
class Scale:
    """How much of everything."""

    runs: int = 100
    kills_a_service: int = 22
    one_kill: int = 24
    two_kills: int = 8
    stops: int = 3
    disks: int = 4
    pauses: int = 4
    cancels: int = 4
    seed: int = 1
    stalled_seconds: int = 25
    pause_seconds: float = 8.0
    fates: list[Fate] = field(default_factory=list)

    def draw(self) -> list[Fate]:
        """One fate a run, in random order."""
        fates = [Fate(kills=1) for _ in range(self.one_kill)]
        fates += [Fate(kills=2) for _ in range(self.two_kills)]
        fates += [Fate(stopped=True) for _ in range(self.stops)]
        fates += [Fate(disk=FULL[n % 2]) for n in range(self.disks)]
        fates += [Fate(control="pause and resume") for _ in range(self.pauses)]
        fates += [Fate(control="cancel") for _ in range(self.cancels)]
        fates += [Fate() for _ in range(self.runs - len(fates))]
        random.Random(self.seed).shuffle(fates)
        return fates


SHORT = Scale(
    runs=6,
    kills_a_service=1,
    one_kill=1,
    two_kills=0,
    stops=1,
    disks=1,
    pauses=1,
    cancels=1,
    stalled_seconds=15,
    pause_seconds=4.0,
)


class Chaos:
    """One pass: a console, its jobs, those who kill, and the verdict."""

    def __init__(self, folder: Path, scale: Scale, model: Path) -> None:
        self.scale = scale
        self.random = random.Random(scale.seed)
        self.console = Console(
            folder,
            CPU_SLOTS=str(SLOTS),
            RECONCILE_SECONDS="0.5",
            RUN_STALLED_SECONDS=str(scale.stalled_seconds),
        )
        self.model = model
        self.mounts: list[Path] = []

    def run(self) -> tuple[list[str], dict]:
        """Failures, and what was counted."""
        began = time.monotonic()
        console = self.console
        console.start()
        try:
            console.prepare(self.model)
            console.shell(PRICE)
            dataset = console.upload(ROWS)
            reference, seconds = self._undisturbed(dataset)
            jobs = self._queue(dataset, self.scale.draw())
            counts = self._disturb(jobs, seconds)
            failures = check(console, jobs, reference)
        finally:
            console.stop()
            for folder in self.mounts:
                subprocess.run(["umount", "-l", folder], check=False)
        failures += counts.pop("failures")
        counts["ends"] = Counter(fate.end for fate in jobs.values())
        counts["fates"] = Counter(fate.words() for fate in jobs.values())
        counts["minutes"] = (time.monotonic() - began) / 60
        return failures, counts

    def _undisturbed(self, dataset: str) -> tuple[dict, float]:
        began = time.monotonic()
        job = self.console.start_job(dataset, epochs=EPOCHS)
        ended = self.console.wait_for_end(job, 180)
        assert ended["status"] == "completed", ended["error_message"]
        return self.console.result(job), time.monotonic() - began

    def _queue(self, dataset: str, fates: list[Fate]) -> dict[str, Fate]:
        jobs = {}
        for fate in fates:
            gpu = {"type": "H100" if fate.disk else "CPU", "count": 1}
            job = self.console.start_job(dataset, epochs=EPOCHS, gpu_config=gpu)
            jobs[job] = fate
            if fate.disk:
                self._mount(job, fate.disk[1])
                there = {"type": "CPU", "count": 1}
                self.console.act(job, "move", gpu_config=there)
        return jobs

    def _mount(self, job: str, size_kb: int) -> None:
        """The job's run folder as a small disk; the smallest is full already."""
        folder = self.console.var / "runs" / job
        folder.mkdir(parents=True)
        options = f"size={size_kb}k"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        subprocess.run(command, check=True)
        self.mounts.append(folder)
        if size_kb < 10:
            (folder / "filler").write_bytes(b"x" * size_kb * 1024)

    def _disturb(self, jobs: dict[str, Fate], seconds: float) -> dict:
        watch = LockWatch(self.console)
        services = ServiceKiller(self.console, self.scale, self.random)
        trainers = TrainerKiller(self.console, jobs, seconds, self.random)
        workers = (watch, services, trainers)
        for worker in workers:
            worker.start()
        deadline = time.monotonic() + 60 + len(jobs) * 60
        while time.monotonic() < deadline:
            states = end_state(self.console, list(jobs))
            if all(states.values()) and services.is_done:
                break
            time.sleep(10)
        for worker in workers:
            worker.stop()
        failures = watch.failures + services.failures()
        if not all(states.values()):
            failures.append(
                f"not ended in time: {[j for j in states if not states[j]]}"
            )
        return {
            "kills": services.done | {"trainer": trainers.kills},
            "stops": trainers.stops,
            "samples": watch.samples,
            "failures": failures,
        }


def table(scale: Scale, failures: list[str], counts: dict) -> str:
    """What was done to whom, and what came out of it."""
    lines = [f"{scale.runs} runs in {counts['minutes']:.1f} minutes, {SLOTS} at a time"]
    lines += [f"  {n:4d} x {fate}" for fate, n in sorted(counts["fates"].items())]
    lines += ["killed by SIGKILL, at random moments:"]
    lines += [f"  {n:4d} x {kind}" for kind, n in sorted(counts["kills"].items())]
    lines += [f"stopped by SIGSTOP: {counts['stops']} trainers"]
    lines += ["ends:"]
    lines += [f"  {n:4d} x {end}" for end, n in sorted(counts["ends"].items())]
    lines += [f"locks looked at {counts['samples']} times: never two attempts in one"]
    verdict = "everything held" if not failures else f"{len(failures)} FAILURES"
    return "\n".join([*lines, verdict, *(f"  - {failure}" for failure in failures)])


def run_chaos(folder: Path, scale: Scale, model: Path) -> tuple[list[str], str]:
    """Failures, and the table to print."""
    failures, counts = Chaos(folder, scale, model).run()
    return failures, table(scale, failures, counts)


def main() -> int:
    """Status 1 when anything did not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    scale = SHORT if options.short else Scale()
    scale.seed = options.seed
    print(f"seed {scale.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lp-chaos-") as name:
        model = Path(name) / "tiny"
        script = str(ROOT / "tests" / "trainer" / "tiny_model.py")
        subprocess.run([TRAINER_PYTHON, "-I", script, model], check=True)
        folder = Path(name) / "var"
        folder.mkdir(mode=0o711)
        failures, words = run_chaos(folder, scale, model)
    print(words, flush=True)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
