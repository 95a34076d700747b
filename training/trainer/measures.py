"""Measurements of a run: seconds by phase and step, peak memory, tokens."""

import resource
import statistics
import sys
import time
from typing import Any


class Measures:
    """A stopwatch whose laps count towards the phase before them."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self.steps: list[float] = []
        self.real_tokens = 0
        self.padded_tokens = 0
        self.kernels: dict[str, str] = {}
        self._last = time.monotonic()

    def lap(self, part: str) -> float:
        """Add the time since the last lap to a phase of the run."""
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        self.parts[part] = self.parts.get(part, 0.0) + seconds
        return seconds

    def step(self, seconds: float) -> None:
        """Record an optimizer step; the first, with one-time costs, is its own part."""
        first = not self.has_stepped
        self.lap("first_step" if first else "training")
        if not first:
            self.steps.append(seconds)

    @property
    def has_stepped(self) -> bool:
        """Whether an optimizer step was done."""
        return "first_step" in self.parts

    def tokens(self, *, real: int, computed: int) -> None:
        """Add the tokens of a step over all processes, without and with padding."""
        self.real_tokens += real
        self.padded_tokens += computed

    def report(self) -> dict[str, Any]:
        """All measurements by name; None where unavailable."""
        return {
            "parts_seconds": self.parts,
            "steps": len(self.steps),
            "step_seconds_mean": statistics.fmean(self.steps) if self.steps else None,
            "step_seconds_p50": _quantile(self.steps, 0.5),
            "step_seconds_p90": _quantile(self.steps, 0.9),
            "real_tokens": self.real_tokens,
            "padded_tokens": self.padded_tokens,
            "kernels": self.kernels,
            **peak_memory(),
        }


def peak_memory() -> dict[str, int]:
    """Peak bytes: allocated and reserved by torch, and in total including the driver;
    on a CPU, the process's resident set.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        beside = total - free - torch.cuda.memory_reserved()
        reserved = torch.cuda.max_memory_reserved()
        return {
            "peak_allocated_bytes": torch.cuda.max_memory_allocated(),
            "peak_reserved_bytes": reserved,
            "peak_device_bytes": reserved + beside,
        }
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_resident_bytes": used * unit}


def _quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))] if ordered else None
