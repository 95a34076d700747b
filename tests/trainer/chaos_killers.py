"""Those who kill, each in a thread of its own, and one who only watches the locks."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from lora_pipeline.postgres.embedded import find_places

SERVICES = {"web": "web", "worker": "work", "reconciler": "reconcile"}
DATABASE = "database"


class Worker(threading.Thread):
    """Does one thing again and again until it is told to stop."""

    pause_seconds = 0.2

    def __init__(self, console) -> None:
        super().__init__(daemon=True)
        self.console = console
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self.pause_seconds):
            self.work()

    def work(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self._over.set()
        self.join()


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> bool:
    """Whether there was something to signal."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


class ServiceKiller(Worker):
    """Kills web, worker, reconciler and database, each as often as planned."""

    def __init__(self, console, scale, chance: random.Random) -> None:
        super().__init__(console)
        self.chance = chance
        self.mean_seconds = scale.pause_seconds
        kinds = [*SERVICES, DATABASE]
        self.left = Counter(dict.fromkeys(kinds, scale.kills_a_service))
        self.planned = scale.kills_a_service
        self.done = Counter(dict.fromkeys(kinds, 0))
        self.due = time.monotonic()

    @property
    def is_done(self) -> bool:
        return not any(self.left.values())

    def work(self) -> None:
        if self.is_done or time.monotonic() < self.due:
            return
        kind = self.chance.choice([k for k, n in self.left.items() if n])
        killed = [kill(pid) for pid in self._pids(kind)]
        if any(killed):
            self.left[kind] -= 1
            self.done[kind] += 1
        self.due = time.monotonic() + self.chance.uniform(0.3, 2 * self.mean_seconds)

    def _pids(self, kind: str) -> list[int]:
        """Of the web server's two processes now both, now either."""
        if kind == DATABASE:
            return [pid for pid in [self._postmaster()] if pid]
        pids = self.console.pids(SERVICES[kind])
        one = len(pids) > 1 and self.chance.random() < 0.5
        return [self.chance.choice(pids)] if one else pids

    def _postmaster(self) -> int | None:
        data = str(find_places(self.console.var.resolve()).data)
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                if words[0].endswith("/postgres") and data in words:
                    return int(folder.name)
        return None

    def failures(self) -> list[str]:
        return [
            f"{kind} was killed {n} times, not {self.planned}"
            for kind, n in self.done.items()
            if n < self.planned
        ]


class TrainerKiller(Worker):
    """Kills, stops, pauses and cancels runs at random moments of their life."""

    def __init__(self, console, jobs, seconds: float, chance: random.Random) -> None:
        super().__init__(console)
        self.jobs = jobs
        self.chance = chance
        self.seconds = seconds
        self.left = {job: self._acts(fate) for job, fate in jobs.items()}
        self.due: dict[str, tuple[str, float]] = {}
        self.kills = self.stops = 0

    @staticmethod
    def _acts(fate) -> list[str]:
        acts = ["kill"] * fate.kills + (["stop"] if fate.stopped else [])
        return acts + ([fate.control] if fate.control else [])

    def work(self) -> None:
        for job, acts in self.left.items():
            if acts and (run_id := self._run_id(job)):
                self._look_at(job, run_id, acts)

    def _look_at(self, job: str, run_id: str, acts: list[str]) -> None:
        """A new attempt gets its moment; when that came, the act is done to it."""
        known, moment = self.due.get(job, ("", 0.0))
        now = time.monotonic()
        if known != run_id:
            late = self.chance.uniform(0.0, 0.9 * self.seconds)
            self.due[job] = (run_id, now + late)
        elif now >= moment and self._do(job, acts[0]):
            acts.pop(0)
            self.due[job] = (run_id, float("inf"))

    def _run_id(self, job: str) -> str:
        """The attempt whose process now has the run folder; empty if there is none."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.console.var / "runs" / job / "pid").read_text())
            return variable(pid, "LORA_RUN_ID")
        return ""

    def _do(self, job: str, act: str) -> bool:
        if act in {"kill", "stop"}:
            number = signal.SIGKILL if act == "kill" else signal.SIGSTOP
            pid = int((self.console.var / "runs" / job / "pid").read_text())
            if not kill(pid, number):
                return False
            self.kills += act == "kill"
            self.stops += act == "stop"
            return True
        return self._control(job, act)

    def _control(self, job: str, act: str) -> bool:
        """Over the API, which may be down at the moment."""
        from tests.trainer.chaos_checks import patient

        if act == "cancel":
            return patient(lambda: self.console.act(job, "cancel")) is not None
        patient(lambda: self.console.act(job, "pause"))
        threading.Thread(target=self._resume, args=[job], daemon=True).start()
        return True

    def _resume(self, job: str) -> None:
        from tests.trainer.chaos_checks import patient

        for _ in range(600):
            found = patient(lambda: self.console.job(job))
            if found and found["status"] == "paused":
                patient(lambda: self.console.act(job, "resume"))
                return
            time.sleep(0.5)


def variable(pid: int, name: str) -> str:
    """A variable in a process's environment."""
    for entry in Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0"):
        key, _, value = entry.partition("=")
        if key == name:
            return value
    return ""


class LockWatch(Worker):
    """Looks at who holds which run folder's lock: never two attempts, never too many.

    A descriptor of the lock's file that a trainer has was handed to it by the launcher
    that took the lock, so to have it is to hold it.
    """

    def __init__(self, console, slots: int = 2) -> None:
        super().__init__(console)
        self.runs = str(console.var / "runs")
        self.slots = slots
        self.samples = 0
        self.failures: list[str] = []

    def work(self) -> None:
        holders: dict[str, set[str]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                self._add(folder, holders)
        self.samples += 1
        for run, attempts in holders.items():
            if len(attempts) > 1:
                self.failures.append(f"{run} was held by {sorted(attempts)} together")
        if len(holders) > self.slots:
            self.failures.append(f"{len(holders)} runs at once on {self.slots} slots")

    def _add(self, folder: Path, holders: dict[str, set[str]]) -> None:
        words = (folder / "cmdline").read_bytes().decode().split("\0")
        if "--run-dir" not in words or not any(w.startswith(self.runs) for w in words):
            return
        lock = f"{words[words.index('--run-dir') + 1]}/lock"
        if any(os.readlink(fd) == lock for fd in (folder / "fd").iterdir()):
            attempt = variable(int(folder.name), "LORA_RUN_ID")
            holders.setdefault(lock, set()).add(attempt)
