"""Pages of training: jobs, configuration, one job."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.envelope import Refusal
from training.adapters_api import open_archive
from training.chart import Chart, loss_chart
from training.domain import lifecycle
from training.models import TrainingJob
from training.services import cancel_job, hide_job

PAGE_SIZE = 20
LIVE_LOG_LINES, LOG_LINES = 25, 500
STAGES = lifecycle.STAGES[:-1]


def own_job(request: HttpRequest, job_id: UUID) -> TrainingJob:
    """The user's job, or the one 404 for all that is not theirs."""
    own = TrainingJob.objects.visible_to(request.user).with_dataset()  # type: ignore[arg-type]
    if (job := own.find(job_id)) is None:
        raise Http404("There is no such job among yours.")
    return job


def job_list(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    own = TrainingJob.objects.visible_to(request.user).with_dataset()  # type: ignore[arg-type]
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    found = {"page_obj": page, "section": "jobs"}
    return render(request, "training/jobs.html", found)


def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job; asked by htmx, only the part that changes."""
    job = own_job(request, job_id)
    found = {"job": job, "section": "jobs", **_live(job)}
    part = "#live" if request.headers.get("HX-Request") else ""
    return render(request, f"training/job.html{part}", found)


def _live(job: TrainingJob) -> dict[str, Any]:
    reached = STAGES.index(job.current_stage) if job.current_stage in STAGES else 99
    states = ["done" if n < reached else "now" for n in range(reached + 1)]
    states += [""] * len(STAGES)
    lines = LOG_LINES if job.is_final else LIVE_LOG_LINES
    return {
        "stages": list(zip(_stage_words(), states, strict=False)),
        "chart": _chart(job),
        "events": list(job.events.order_by("-id")[:lines])[::-1],
        "active": not job.is_final,
    }


def _stage_words() -> list[str]:
    return [stage.replace("_", " ").capitalize() for stage in STAGES]


def _chart(job: TrainingJob) -> Chart | None:
    rows = list(job.metrics.values_list("step", "loss", "validation_loss"))
    return loss_chart(
        [(step, loss) for step, loss, _ in rows if loss is not None],
        [(step, loss) for step, _, loss in rows if loss is not None],
        last_step=job.total_steps,
    )


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Cancel, after the page asked."""
    job = own_job(request, job_id)
    try:
        cancel_job(job_id=job.pk, by=request.user.get_username())
        messages.success(request, f"{job.name} is being cancelled.")
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect(job)


@require_POST
def delete(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Put an ended job out of sight."""
    job = own_job(request, job_id)
    try:
        hide_job(job_id=job.pk)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(job)
    messages.success(request, f"{job.name} was deleted.")
    return redirect("jobs")


def adapter(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The trained adapter's archive."""
    job = own_job(request, job_id)
    if job.artifact is None:
        raise Http404("This job has no adapter.")
    return open_archive(job.artifact)
