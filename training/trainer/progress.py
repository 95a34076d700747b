"""Progress events of a run, stopping, and checkpoint rotation."""

import contextlib
import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import parallel
import torch
from reporting import Voice
from spec import Spec, step_of
from transformers import TrainerCallback

TOKENS_FILE = "tokens_seen.json"
KEPT_CHECKPOINTS = 2


class Progress(TrainerCallback):  # type: ignore[misc]
    """Reports trainer callbacks as events, and stops when asked to."""

    def __init__(
        self, spec: Spec, reporter: Voice, steps: int, *, evaluates: bool
    ) -> None:
        self.reporter = reporter
        self.steps_per_epoch = max(steps // spec.hyperparameters.epochs, 1)
        self.evaluates = evaluates
        self.saved = Saved(spec)
        self.tokens_before = _tokens_at(spec.checkpoints / spec.resume_name)
        self.tokens_seen = self.tokens_before
        self.step_began = 0.0
        self.step_seconds = 0.0
        self.evaluating = False
        self.stopping = False
        self.save_after_evaluation = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.reporter.emit("steps", total_steps=state.max_steps)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.step_began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.step_seconds = time.monotonic() - self.step_began
        self.reporter.measures.step(self.step_seconds)
        wish = self.reporter.cancelled.is_set()
        self.stopping = parallel.any_of(wish, args.device)
        if self.stopping:
            control.should_save = True
            control.should_training_stop = True
        ends_epoch = state.global_step % self.steps_per_epoch == 0
        if control.should_save and ends_epoch and self.evaluates:
            control.should_save = False
            self.save_after_evaluation = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint at the end of an epoch is saved after its evaluation;
        otherwise a run resumed from it would never do that evaluation. A run
        stopped inside an epoch does not evaluate.
        """
        if self.save_after_evaluation:
            self.save_after_evaluation = False
            control.should_save = True
        elif self.stopping:
            control.should_evaluate = False

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any
    ) -> None:
        if logs and "loss" in logs:
            self._report_step(state, logs)

    def _report_step(self, state: Any, logs: dict[str, Any]) -> None:
        now = self.tokens_before + int(logs.get("num_tokens", 0))
        tokens, self.tokens_seen = now - self.tokens_seen, now
        self.reporter.measures.real_tokens += tokens
        self.reporter.emit(
            "metrics",
            step=state.global_step,
            epoch=logs.get("epoch"),
            loss=finite(logs["loss"]),
            learning_rate=finite(logs.get("learning_rate")),
            grad_norm=finite(logs.get("grad_norm")),
            tokens_seen=now,
            tokens_per_second=tokens / self.step_seconds,
            step_seconds=self.step_seconds,
            **gpu_facts(),
        )

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self.evaluating:
            self.evaluating = True
            self.reporter.emit("stage", stage="evaluating")

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        self.evaluating = False
        self.reporter.measures.lap("evaluation")
        self.reporter.emit(
            "eval",
            step=state.global_step,
            epoch=state.epoch,
            loss=finite((metrics or {}).get("eval_loss")),
        )
        if state.global_step < state.max_steps:
            self.reporter.emit("stage", stage="training")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.reporter.measures.lap("checkpoints")
        parallel.wait_for_all()
        if parallel.RANK > 0:
            return
        name = f"checkpoint-{state.global_step}"
        folder = Path(args.output_dir) / name
        (folder / TOKENS_FILE).write_text(json.dumps(self.tokens_seen))
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        number = self.reporter.emit(
            "checkpoint", step=state.global_step, name=name, size_bytes=size
        )
        self.saved.add(name, number)
        if spare := self.saved.spare(self.reporter.taken_through):
            self.reporter.emit("freed", names=spare)
            self.saved.remove(spare)


class Saved:
    """The checkpoints in the run folder, each with its event's sequence number.

    A run resumes from the last one known to the console, so an older one may only be
    deleted once two newer ones have been acknowledged, not just written.
    """

    def __init__(self, spec: Spec) -> None:
        self.folder = spec.checkpoints
        known = [p.name for p in spec.checkpoints.glob("checkpoint-*")]
        known = [name for name in known if 0 < step_of(name) <= spec.resume_step]
        self.numbers = dict.fromkeys(sorted(known, key=step_of), 0)

    def add(self, name: str, number: int) -> None:
        self.numbers[name] = number

    def spare(self, taken_through: int) -> list[str]:
        """Checkpoints that can no longer be resumed from."""
        taken = [name for name, n in self.numbers.items() if n <= taken_through]
        return taken[:-KEPT_CHECKPOINTS]

    def remove(self, names: list[str]) -> None:
        for name in names:
            del self.numbers[name]
            shutil.rmtree(self.folder / name, ignore_errors=True)


def gpu_facts() -> dict[str, float]:
    """Utilisation in percent and peak memory of this process's GPU; empty without a
    GPU. Without NVML the utilisation is unknown.
    """
    if not torch.cuda.is_available():
        return {}
    facts: dict[str, float] = {"gpu_memory_bytes": torch.cuda.max_memory_allocated()}
    with contextlib.suppress(Exception):
        facts["gpu_use"] = float(torch.cuda.utilization())
    return facts


def _tokens_at(checkpoint: Path) -> int:
    file = checkpoint / TOKENS_FILE
    return int(json.loads(file.read_text())) if file.is_file() else 0


def finite(value: Any) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(value) if value is not None and math.isfinite(value) else None
