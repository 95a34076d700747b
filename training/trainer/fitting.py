"""All the steps of a run, and what is said when they came to nothing."""

from sound import Diverged, require_sound
from spec import Spec, step_of
from stopping import Stopped
from trl import SFTTrainer
from weights import compute_dtype


class Trainer(SFTTrainer):  # type: ignore[misc]
    """TRL's, which after a loss of NaN would show NaN at every later step: it resets
    the sum of losses by taking it from itself.
    """

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log(logs, start_time)
        if "loss" in logs:
            self._tr_loss.zero_()


def fit(spec: Spec, trainer: Trainer, resume: str | None) -> None:
    """Train to the end. Raises Stopped, Diverged or NothingLearned before it."""
    try:
        trainer.train(resume_from_checkpoint=resume)
        if trainer.state.global_step < trainer.state.max_steps:
            raise Stopped(trainer.state.global_step)
        require_sound(trainer.model)
    except Diverged as error:
        raise Diverged(f"{error} {_circumstances(spec)}") from error


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
