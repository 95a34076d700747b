"""Progress events of a run, stopping, and checkpoint rotation."""

import contextlib
import shutil
import time
from pathlib import Path
from typing import Any

import parallel
import torch
from batching import Batches
from best import best_step, evaluations, without_gain
from reporting import Voice
from sound import Watch, is_finite
from spec import Spec, step_of
from transformers import TrainerCallback

KEPT_CHECKPOINTS = 2


class Progress(TrainerCallback):  # type: ignore[misc]
    """Reports trainer callbacks as events, and stops when asked to."""

    def __init__(
        self, spec: Spec, reporter: Voice, batches: Batches, *, evaluates: bool
    ) -> None:
        self.reporter = reporter
        self.batches = batches
        self.evaluates = evaluates
        self.saved = Saved(spec)
        self.step_began = 0.0
        self.step_seconds = 0.0
        self.evaluating = False
        self.stopping = False
        self.chosen = spec.hyperparameters
        self.ended_early = False
        self.watch: Watch | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.watch = Watch(scales_loss=args.fp16)
        self._pin_best(state)
        self.reporter.emit("steps", total_steps=state.max_steps)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.step_began = time.monotonic()

    def on_step_end(
        self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
    ) -> None:
        self.step_seconds = time.monotonic() - self.step_began
        self.reporter.measures.step(self.step_seconds)
        wish = self.reporter.cancelled.is_set()
        self.stopping = parallel.any_of(wish, args.device)
        if self.stopping:
            control.should_save = True
            control.should_training_stop = True
        control.should_evaluate = self._is_evaluated(state)
        _keep_only_sound(control, model)

    def _is_evaluated(self, state: Any) -> bool:
        """Every `eval_steps`, else at the end of every epoch, and after the last step.

        At the step itself, since it is then evaluated before it is saved: a run resumed
        from its checkpoint would otherwise never do that evaluation.
        """
        step = state.global_step
        every = self.chosen.eval_steps or self.batches.steps_per_epoch
        return self.evaluates and (step % every == 0 or step == state.max_steps)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Any = None,
        model: Any = None,
        **_: Any,
    ) -> None:
        """Report the step. Raises Diverged or NothingLearned where going on is idle;
        every process does, since all have the same loss.
        """
        if logs and "loss" in logs:
            self._report_step(state, logs)
            if self.watch is not None:
                self.watch.after(state.global_step, logs, model)

    def _report_step(self, state: Any, logs: dict[str, Any]) -> None:
        tokens = self.batches.of_step(state.global_step)
        self.reporter.measures.tokens(real=tokens.real, computed=tokens.computed)
        self.reporter.emit(
            "metrics",
            step=state.global_step,
            epoch=logs.get("epoch"),
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            aux_loss=logs.get("aux_loss"),
            tokens_seen=self.batches.seen_through(state.global_step),
            tokens_per_second=tokens.real / self.step_seconds,
            step_seconds=self.step_seconds,
            **gpu_facts(),
        )

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self.evaluating:
            self.evaluating = True
            self.reporter.emit("stage", stage="evaluating")

    def on_evaluate(
        self,
        args: Any,
        state: Any,
        control: Any,
        metrics: Any = None,
        model: Any = None,
        **_: Any,
    ) -> None:
        self.evaluating = False
        self.reporter.measures.lap("evaluation")
        self.reporter.emit(
            "eval",
            step=state.global_step,
            epoch=state.epoch,
            loss=(metrics or {}).get("eval_loss"),
        )
        self._judge(state, control)
        _keep_only_sound(control, model)
        if state.global_step < state.max_steps and not self.ended_early:
            self.reporter.emit("stage", stage="training")

    def _pin_best(self, state: Any) -> int | None:
        """Keep the best checkpoint from being cleaned up; its step."""
        best = best_step(evaluations(state.log_history))
        if self.chosen.load_best_model_at_end and best is not None:
            self.saved.pinned = f"checkpoint-{best}"
        return best

    def _judge(self, state: Any, control: Any) -> None:
        """Keep the best so far, and end the run when its patience is used up."""
        best = self._pin_best(state)
        if self.chosen.load_best_model_at_end and best == state.global_step:
            control.should_save = True
        found = evaluations(state.log_history)
        waited = without_gain(found, self.chosen.early_stopping_threshold)
        if self.chosen.is_exhausted(waited) and state.global_step < state.max_steps:
            self.ended_early = control.should_training_stop = True
            self.reporter.log(
                f"ended early at step {state.global_step} of {state.max_steps}: "
                f"{waited} evaluations without a gain; the best is of step {best}"
            )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.reporter.measures.lap("checkpoints")
        parallel.wait_for_all()
        if parallel.RANK > 0:
            return
        name = f"checkpoint-{state.global_step}"
        folder = Path(args.output_dir) / name
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
        self.pinned = ""

    def add(self, name: str, number: int) -> None:
        self.numbers[name] = number

    def spare(self, taken_through: int) -> list[str]:
        """Checkpoints that can no longer be resumed from, the best one aside."""
        taken = [name for name, n in self.numbers.items() if n <= taken_through]
        return [name for name in taken[:-KEPT_CHECKPOINTS] if name != self.pinned]

    def remove(self, names: list[str]) -> None:
        for name in names:
            del self.numbers[name]
            shutil.rmtree(self.folder / name, ignore_errors=True)


def _keep_only_sound(control: Any, model: Any) -> None:
    """No checkpoint of weights that nothing can go on from."""
    if control.should_save and not is_finite(model):
        control.should_save = False


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
