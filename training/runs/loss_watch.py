"""Telling the owner of a loss that no longer falls."""

from training.domain.series import LossWatch, loss_problem
from training.jobs.transitions import record_log
from training.models import TrainingJob


def watch_loss(job: TrainingJob, loss: float | None, step: int) -> None:
    """Notice a loss that is no number or has exploded: once a job, as an event and
    for its page. The caller saves `current_metrics`.
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
