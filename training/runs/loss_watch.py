"""Warns about a diverging loss."""

from training.domain.series import LossWatch, loss_problem
from training.jobs.transitions import record_log
from training.models import TrainingJob


def watch_loss(job: TrainingJob, loss: float | None, step: int) -> None:
    """Warn about a loss that is NaN or has exploded, once per job, in the log and on
    its page. The caller saves `current_metrics`.
    """
    kept = job.current_metrics
    watch = LossWatch(average=kept.get("loss_average"), lowest=kept.get("lowest_loss"))
    if loss is not None:
        watch = watch.after(loss)
        kept |= {"loss_average": watch.average, "lowest_loss": watch.lowest}
    if job.loss_warning:
        return
    if problem := loss_problem(watch, loss, step):
        job.loss_warning = problem
        job.save(update_fields=["loss_warning", "updated_at"])
        record_log(job, problem, level="warning")
