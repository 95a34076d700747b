"""The process tree of `manage.py up`: started, watched, restarted, stopped in order."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings

from lora_pipeline.processes import lifeline

MANAGE = Path(settings.BASE_DIR) / "manage.py"
STOP_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 10.0
STEADY_SECONDS = 10.0


@dataclass(slots=True)
class Child:
    """One supervised program of the console."""

    name: str
    arguments: Sequence[str]
    process: "subprocess.Popen[str] | None" = None
    started_at: float = 0.0
    backoff_seconds: float = 0.2
    due_at: float = field(default=0.0)


class Supervisor:
    """Keeps the children running until told to stop.

    Every child has its own session, so that Ctrl-C reaches only us, and the read end
    of a pipe whose write end we hold: when we are gone, it exits too.
    """

    def __init__(self, children: Sequence[Child], output: IO[str]) -> None:
        self.children = children
        self._output = output
        self._reading, self._writing = os.pipe()
        self.stopping = threading.Event()

    def start(self) -> None:
        for child in self.children:
            self._start(child)

    def run(self) -> None:
        """Restart children that die, with backoff, until `stopping` is set."""
        while not self.stopping.wait(0.1):
            for child in self.children:
                self._look_after(child)

    def stop(self) -> None:
        """Stop the children: SIGTERM to all, then SIGKILL to any left."""
        self.stopping.set()
        running = [c.process for c in self.children if c.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own manage.py; the operator gave host and port
            [sys.executable, "-u", str(MANAGE), *child.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, lifeline.VARIABLE: str(self._reading)},
            pass_fds=[self._reading],
            start_new_session=True,
            text=True,
        )
        child.started_at = time.monotonic()
        arguments = (child.name, child.process.stdout)
        threading.Thread(target=self._copy, args=arguments, daemon=True).start()

    def _copy(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            own = line.startswith(
                "{"
            )  # JSON is for programs and already names its source
            self._output.write(line if own else f"{name:>10} | {line}")
            self._output.flush()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now - child.started_at > STEADY_SECONDS:
                child.backoff_seconds = 0.2
            words = f"exited with {child.process.returncode}"
            pause = f"restarting in {child.backoff_seconds:.1f} s"
            self._output.write(f"{child.name:>10} | {words}; {pause}\n")
            child.process = None
            child.due_at = now + child.backoff_seconds
            longer = child.backoff_seconds * 2
            child.backoff_seconds = min(longer, LONGEST_BACKOFF_SECONDS)
        if child.process is None and now >= child.due_at:
            self._start(child)


def console(host: str, port: int) -> list[Child]:
    """The programs that make up the console."""
    web = ["web", "--host", host, "--port", str(port)]
    return [
        Child("web", web),
        Child("worker", ["work"]),
        Child("reconciler", ["reconcile"]),
    ]


def wait_until_it_answers(host: str, port: int, seconds: float = 30.0) -> bool:
    """Whether the web server accepted a connection in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
