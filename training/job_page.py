"""What the page of one job shows, and what of it is sent at each refresh."""

from collections.abc import Mapping
from typing import Any

from training.chart import Chart, loss_chart
from training.domain import lifecycle
from training.domain.limits import LIMITS, plain
from training.domain.method import QLORA
from training.models import JobEvent, TrainingJob
from training.moves import stranded

LOG_LINES = 500
STAGES = lifecycle.STAGES[:-1]


def live_facts(job: TrainingJob, shown: Mapping[str, str]) -> dict[str, Any]:
    """Stages, chart and log lines.

    `shown` is what the asking page already has: its last log line (`after`) and the
    status it shows (`status`), so that the rest is sent when that has changed.
    """
    after = line_number(shown.get("after", ""))
    events = new_lines(job, after)
    changed = shown.get("status", "") != job.status
    return {
        "active": not job.is_final,
        "stages": stages(job),
        "chart": chart_of(job),
        "events": events,
        "after": events[-1].pk if events else after,
        "changed": changed,
        "stranded": stranded(job) if changed else None,
    }


def stages(job: TrainingJob) -> list[tuple[str, str]]:
    """Each stage in words, and whether it is `done`, under way (`now`) or to come."""
    ended = job.status == lifecycle.COMPLETED
    reached = STAGES.index(job.current_stage) if job.current_stage in STAGES else 99
    found = []
    for number, stage in enumerate(STAGES):
        state = "done" if ended or number < reached else ""
        if number == reached and not ended:
            state = "stopped" if job.is_final else "now"
        found.append((stage.replace("_", " ").capitalize(), state))
    return found


def chart_of(job: TrainingJob) -> Chart | None:
    """The loss chart of what was measured so far."""
    rows = list(job.metrics.values_list("step", "loss", "validation_loss"))
    return loss_chart(
        [(step, loss) for step, loss, _ in rows if loss is not None],
        [(step, loss) for step, _, loss in rows if loss is not None],
        last_step=job.total_steps,
    )


def line_number(text: str) -> int:
    """The id of a log line in an address; 0, before all lines, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def new_lines(job: TrainingJob, after: int) -> list[JobEvent]:
    """The log's lines after the given one, the last 500 at most, oldest first."""
    return list(job.events.filter(id__gt=after).order_by("-id")[:LOG_LINES])[::-1]


def settings_facts(job: TrainingJob) -> dict[str, Any]:
    """The hyperparameters in words, in the order and the writing of the form."""
    given = job.hyperparameters
    words = {
        name.replace("_", " ").capitalize(): v if isinstance(v, str) else plain(v)
        for name in (*LIMITS, "scheduler")
        if (v := given.get(name)) is not None
    }
    return {"settings": words | _plan_facts(job)}


def _plan_facts(job: TrainingJob) -> dict[str, str]:
    """What was chosen for the job where its owner left it open."""
    plan = job.plan
    if plan is None:
        return {}
    method = "QLoRA" if plan["method"] == QLORA else "LoRA"
    return {
        "Method": f"{method}, packed" if plan["packing"] else method,
        "Micro-batch": f"{plan['micro_batch']} × {plan['gradient_accumulation']}",
        "Checkpointing": "on" if plan["gradient_checkpointing"] else "off",
    }
