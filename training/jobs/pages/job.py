"""What the page of one job shows, and what of it is sent at each refresh."""

from collections.abc import Mapping
from typing import Any

from training.charts.job_charts import charts_of, switches_in
from training.domain import lifecycle
from training.domain.limits import LIMITS, plain
from training.domain.method import QLORA
from training.jobs.checkpoints import kept_checkpoints
from training.jobs.other_machines import stranded
from training.models import JobEvent, TrainingJob

LOG_LINES = 500
LONGEST_SEARCH = 200
STAGES = lifecycle.STAGES[:-1]


def live_facts(job: TrainingJob, shown: Mapping[str, str]) -> dict[str, Any]:
    """Stages, chart and log lines.

    `shown` is what the asking page already has: its last log line (`after`) and the
    status it shows (`status`), so that the rest is sent when that has changed; besides
    how it draws the loss and what it searches the log for.
    """
    after = line_number(shown.get("after", ""))
    search = shown.get("search", "").replace("\0", "")[:LONGEST_SEARCH]
    events = new_lines(job, after, search)
    switches = switches_in(shown)
    changed = shown.get("status", "") != job.status
    return {
        "active": not job.is_final,
        "checkpoints": kept_checkpoints(job),
        "stages": stages(job),
        "charts": charts_of(job, switches),
        "switches": switches,
        "search": search,
        "events": events,
        "after": events[-1].pk if events else after,
        "changed": changed,
        "stranded": stranded(job) if changed else None,
        "history": history(job) if changed else None,
    }


def history(job: TrainingJob) -> list[JobEvent]:
    """Every change of the job's state: when, from what to what, why, by whom."""
    return list(job.events.filter(kind=JobEvent.Kind.STATUS).order_by("id"))


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


def line_number(text: str) -> int:
    """The id of a log line in an address; 0, before all lines, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def new_lines(job: TrainingJob, after: int, search: str = "") -> list[JobEvent]:
    """The log's lines after the given one, the last 500 at most, oldest first; where
    something is searched, those that contain it.
    """
    lines = job.events.filter(id__gt=after)
    if search:
        lines = lines.filter(message__icontains=search)
    return list(lines.order_by("-id")[:LOG_LINES])[::-1]


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
        "Micro-batch": f"{plan['micro_batch']} x {plan['gradient_accumulation']}",
        "Checkpointing": "on" if plan["gradient_checkpointing"] else "off",
    }
