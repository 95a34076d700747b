"""Training pages: the job list, one job and its actions."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

from datasets.models import Dataset
from lora_pipeline.errors import Refusal
from lora_pipeline.web.requests import UserRequest
from training.domain.lifecycle import STATUSES
from training.jobs.access import own_job
from training.jobs.filters import JobFilter
from training.jobs.pages.job import live_facts, settings_facts
from training.jobs.services import cancel_job, hide_job, move_job, rename_job
from training.models import TrainingJob, choices
from training.models.jobs import TrainingJobQuerySet

PAGE_SIZE = 20
MOST_DATASETS = 100


def own_jobs(request: UserRequest) -> TrainingJobQuerySet:
    """The user's jobs, joined with what lists show."""
    return TrainingJob.objects.visible_to(request.user).with_dataset()


@vary_on_headers("HX-Request")
def job_list(request: UserRequest) -> HttpResponse:
    """Jobs, newest first, filtered as in the API; htmx gets only the results."""
    own = TrainingJob.objects.visible_to(request.user)
    kept = JobFilter(request.GET, queryset=own)
    page = Paginator(kept.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = page.object_list.joined()  # type: ignore[attr-defined]
    found = {"page_obj": page, "section": "jobs", "live": live_address(page)}
    found |= filter_facts(request, kept)
    if not request.headers.get("HX-Request"):
        return render(request, "training/jobs.html", found)
    response = render(request, "training/jobs.html#results", found)
    response.headers["HX-Replace-Url"] = f"{request.path}?{found['query']}".rstrip("?")
    return response


def filter_facts(request: UserRequest, kept: JobFilter) -> dict[str, Any]:
    """Values of the filter controls, and errors in the URL's filters."""
    given = [(k, v) for k, vs in request.GET.lists() for v in vs if v and k != "page"]
    return {
        "statuses": choices(STATUSES),
        "chosen": request.GET.getlist("status"),
        "datasets": Dataset.objects.visible_to(request.user)[:MOST_DATASETS],
        "filtered": any(name in kept.filters for name, _ in given),
        "faults": [words for faults in kept.errors.values() for words in faults],
        "query": urlencode(given),
    }


def live_rows(request: UserRequest) -> HttpResponse:
    """Refreshed rows, and a poll for those that are still open."""
    asked = [text for text in request.GET.getlist("id") if is_uuid(text)]
    jobs = list(own_jobs(request).filter(pk__in=asked[:PAGE_SIZE]))
    ended = any(job.is_final for job in jobs)
    found = {"jobs": jobs, "oob": True, "ended": ended, "live": live_address(jobs)}
    return render(request, "training/_rows.html", found)


def live_address(jobs: Iterable[TrainingJob]) -> str:
    """URL that refreshes a list's open rows; empty if there are none."""
    query = urlencode([("id", job.pk) for job in jobs if not job.is_final])
    return f"{reverse('jobs-live')}?{query}" if query else ""


def is_uuid(text: str) -> bool:
    """Whether a text is a valid job id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@vary_on_headers("HX-Request")
def job_page(request: UserRequest, job_id: UUID) -> HttpResponse:
    """A job's page; htmx gets only what has changed."""
    job = own_job(request.user, job_id)
    found = {"job": job, "section": "jobs", **live_facts(job, request.GET)}
    if request.headers.get("HX-Request"):
        return render(request, "training/job.html#update", found | {"oob": True})
    return render(request, "training/job.html", found | settings_facts(job))


class RenameForm(forms.Form):
    """A new name for a job."""

    name = forms.CharField(max_length=200)


@require_POST
def rename(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Rename a job."""
    job, form = own_job(request.user, job_id), RenameForm(request.POST)
    if form.is_valid():
        rename_job(job_id=job.pk, name=form.cleaned_data["name"])
        messages.success(
            request, f"The job was renamed to {form.cleaned_data['name']}."
        )
    else:
        messages.error(
            request, "The name was not changed: it must have 1 to 200 characters."
        )
    return redirect(job)


class MoveForm(forms.Form):
    """The new GPU type and count of a queued job."""

    gpu_type = forms.CharField(max_length=50)
    gpu_count = forms.IntegerField(min_value=1)


@require_POST
def move(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Move a queued job to a connected machine."""
    job, form = own_job(request.user, job_id), MoveForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The job was not moved: choose one of the machines.")
        return redirect(job)
    target, by = form.cleaned_data, request.user.get_username()
    try:
        move_job(job_id=job.pk, by=by, **target)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        words = f"{target['gpu_count']} x {target['gpu_type']}"
        messages.success(request, f"{job.name} is now queued for {words}.")
    return redirect(job)


@require_POST
def cancel(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Cancel a job, after confirmation on the page."""
    job = own_job(request.user, job_id)
    try:
        after = cancel_job(job_id=job.pk, by=request.user.get_username())
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        words = "was cancelled" if after.is_final else "is being cancelled"
        messages.success(request, f"{job.name} {words}.")
    return redirect(job)


@require_POST
def delete(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Delete an ended job."""
    job = own_job(request.user, job_id)
    try:
        hide_job(job_id=job.pk)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(job)
    messages.success(request, f"{job.name} was deleted.")
    return redirect("jobs")
