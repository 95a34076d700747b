"""All the steps of a run, and what is said when they came to nothing."""

from pathlib import Path
from typing import Any

import parallel
import torch
from batching import Batches, Loader, Row
from best import STATE, best_step, evaluations, history_of, without_gain
from peft import load_peft_weights, set_peft_model_state_dict
from progress import Progress
from schedule import scheduled
from sound import Diverged, require_sound
from spec import Spec, step_of
from stopping import Stopped
from torch.utils.data import DataLoader
from transformers import TrainerState
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer
from weights import compute_dtype


class Trainer(SFTTrainer):  # type: ignore[misc]
    """TRL's, with batches, a schedule and a validation loss of our own.

    TRL would hand each epoch's last batch to several processes with rows repeated,
    start a warm-up with a learning rate of 0, and average the validation loss over
    batches, so that it depended on the micro-batch.
    """

    rows: list[Row]
    held_out: list[Row]
    progress: Progress
    delivered_step: int
    batches: Batches
    lr_scheduler: Any
    control: Any

    def get_train_dataloader(self) -> Loader:
        pin = self.args.dataloader_pin_memory
        collate = self.data_collator
        return Loader(self.rows, self.batches, collate_fn=collate, pin_memory=pin)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """This process's share of the validation split."""
        rows = self.held_out[parallel.RANK :: parallel.WORLD_SIZE]
        size = self.args.per_device_eval_batch_size
        return DataLoader(rows, batch_size=size, collate_fn=self.data_collator)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        if self.lr_scheduler is None:
            self.lr_scheduler = scheduled(
                optimizer or self.optimizer,
                str(self.args.lr_scheduler_type.value),
                warmup_steps=self.args.get_warmup_steps(num_training_steps),
                steps=num_training_steps,
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def evaluation_loop(
        self, dataloader: Any, description: str, *_: Any, **__: Any
    ) -> EvalLoopOutput:
        """The mean loss of all learned tokens of all processes."""
        self.model.eval()
        found = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        for inputs in dataloader:
            found += self._summed_loss(self._prepare_inputs(inputs))
            self.control = self.callback_handler.on_prediction_step(
                self.args, self.state, self.control
            )
        loss, tokens = parallel.summed(found).tolist()
        return EvalLoopOutput(
            predictions=None,
            label_ids=None,
            metrics={"eval_loss": loss / max(tokens, 1)},
            num_samples=len(self.held_out),
        )

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _summed_loss(self, inputs: dict[str, Any]) -> torch.Tensor:
        """Loss summed over the learned tokens of a micro-batch, and their number."""
        with self.compute_loss_context_manager():
            found = self.model(**inputs, use_cache=False, fused_lm_head=True)
        loss, tokens = -found.log_probs.double().sum(), found.label_mask.sum()
        return torch.stack([loss, tokens.double()])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """The loss without a mixture's auxiliary loss, which is logged beside it.

        After a loss of NaN, TRL would show NaN at every later step: it resets the sum
        of losses by taking it from itself.
        """
        if "loss" in logs and (found := self._metrics["train"].get("aux_loss")):
            logs["loss"] -= self.router_aux_loss_coef * sum(found) / len(found)
        super().log(logs, start_time)
        if "loss" in logs:
            self._tr_loss.zero_()


def fit(spec: Spec, trainer: Trainer, resume: str | None) -> None:
    """Train to the end. Raises Stopped, Diverged or NothingLearned before it."""
    try:
        if resume and _is_exhausted(spec, Path(resume)):
            _take(trainer, Path(resume))
        else:
            trainer.train(resume_from_checkpoint=resume)
            _require_end(trainer)
        require_sound(trainer.model)
    except Diverged as error:
        raise Diverged(f"{error} {_circumstances(spec)}") from error


def _require_end(trainer: Trainer) -> None:
    """Raises Stopped where the run was told to stop before it had come to its end."""
    state, progress = trainer.state, trainer.progress
    ended = progress.ended_early and not progress.stopping
    if state.global_step < state.max_steps and not ended:
        raise Stopped(state.global_step)


def _is_exhausted(spec: Spec, checkpoint: Path) -> bool:
    """Whether the run had already ended early when this checkpoint was saved; one more
    step would make another run of it.
    """
    chosen, found = spec.hyperparameters, evaluations(history_of(checkpoint))
    waited = without_gain(found, chosen.early_stopping_threshold)
    return chosen.is_exhausted(waited)


def _take(trainer: Trainer, checkpoint: Path) -> None:
    """The state of a checkpoint as the run's own, without training on."""
    trainer.state = TrainerState.load_from_json(str(checkpoint / STATE))
    load_adapter(trainer.model, checkpoint)


def load_adapter(model: Any, checkpoint: Path) -> None:
    """A checkpoint's adapter, to the last bit: it is saved in float32."""
    weights = load_peft_weights(str(checkpoint), device="cpu")
    set_peft_model_state_dict(model, weights)


def deliver_best(spec: Spec, trainer: Trainer) -> int:
    """Take the weights of the best evaluation where that is asked for; the step of
    which the adapter is.

    A job that continues another one has that one's losses, but of its checkpoints only
    the one it began with: the best is the best of those that are there.
    """
    last: int = trainer.state.global_step
    if not spec.hyperparameters.load_best_model_at_end:
        return last
    found = evaluations(trainer.state.log_history)
    there = [e for e in found if e[0] == last or _of_step(spec, e[0]).is_dir()]
    best = best_step(there)
    if best is None or best == last:
        return last
    load_adapter(trainer.model, _of_step(spec, best))
    return best


def _of_step(spec: Spec, step: int) -> Path:
    return spec.checkpoints / f"checkpoint-{step}"


def _circumstances(spec: Spec) -> str:
    """With what it was trained, and what there is to go on from: a checkpoint is kept
    only where all its weights are numbers.
    """
    precision = str(compute_dtype()).removeprefix("torch.")
    steps = [step_of(folder.name) for folder in spec.checkpoints.glob("checkpoint-*")]
    last = max(steps, default=0)
    kept = (
        f"The last sound checkpoint is of step {last}."
        if last
        else "There is no sound checkpoint."
    )
    rate = spec.hyperparameters.learning_rate
    return f"Learning rate {rate:g}, in {precision}. No adapter is stored. {kept}"
