"""Context of a job's page, and the parts sent at each refresh."""

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
    """Stages, charts and log lines.

    `shown` is what the page already has: its last log line (`after`) and status
    (`status`), so that other parts are sent only when that changes; plus its chart
    options and log search.
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
    """Every status change: when, from, to, why and by whom."""
    return list(job.events.filter(kind=JobEvent.Kind.STATUS).order_by("id"))


def stages(job: TrainingJob) -> list[tuple[str, str]]:
    """Each stage's label, and whether it is `done`, in progress (`now`) or pending."""
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
    """The log line id in the URL; 0, before all lines, if invalid."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def new_lines(job: TrainingJob, after: int, search: str = "") -> list[JobEvent]:
    """Log lines after the given one, at most the last 500, oldest first, filtered by
    the search text if given.
    """
    lines = job.events.filter(id__gt=after)
    if search:
        lines = lines.filter(message__icontains=search)
    return list(lines.order_by("-id")[:LOG_LINES])[::-1]


def settings_facts(job: TrainingJob) -> dict[str, Any]:
    """The hyperparameters for display, in the form's order and format."""
    given = job.hyperparameters
    words = {
        name.replace("_", " ").capitalize(): v if isinstance(v, str) else plain(v)
        for name in (*LIMITS, "scheduler")
        if (v := given.get(name)) is not None
    }
    return {"settings": words | _plan_facts(job)}


def _plan_facts(job: TrainingJob) -> dict[str, str]:
    """The values chosen automatically for the job."""
    plan = job.plan
    if plan is None:
        return {}
    method = "QLoRA" if plan["method"] == QLORA else "LoRA"
    return {
        "Method": f"{method}, packed" if plan["packing"] else method,
        "Micro-batch": f"{plan['micro_batch']} x {plan['gradient_accumulation']}",
        "Checkpointing": "on" if plan["gradient_checkpointing"] else "off",
    }
