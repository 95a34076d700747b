"""Actions on the job page: pause, resume, start again, continue, delete checkpoint."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from lora_pipeline.errors import Refusal
from lora_pipeline.web.requests import UserRequest
from training.jobs import controls
from training.jobs.access import own_job
from training.jobs.checkpoints import free_checkpoint
from training.models import TrainingJob


class CapForm(forms.Form):
    """The cost cap to resume with; empty keeps the current one."""

    max_cost = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=4, required=False
    )


class StepForm(forms.Form):
    """Identifies the checkpoint to continue from or delete."""

    step = forms.IntegerField(min_value=1, max_value=2**31 - 1)


def done(
    request: UserRequest, job: TrainingJob, act: Callable[[], TrainingJob], words: str
) -> HttpResponse:
    """Run an action, show its result as a toast, and redirect to the job."""
    try:
        after = act()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(job)
    messages.success(request, words.format(job=after.name))
    return redirect(after)


@require_POST
def pause(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Pause a job."""
    job, by = own_job(request.user, job_id), request.user.get_username()
    words = "{job} is pausing. A run saves a checkpoint first."
    return done(request, job, lambda: controls.pause_job(job_id=job.pk, by=by), words)


@require_POST
def resume(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Resume a job, with a higher cost cap if given."""
    job, form = own_job(request.user, job_id), CapForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The job was not resumed: enter the cost cap in USD.")
        return redirect(job)
    by, cap = request.user.get_username(), form.cleaned_data["max_cost"]

    def act() -> TrainingJob:
        return controls.resume_job(job_id=job.pk, by=by, max_cost=cap)

    return done(request, job, act, "{job} resumes as soon as its machine is free.")


@require_POST
def retry(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Start an ended job again, optionally with the suggested change."""
    job, by = own_job(request.user, job_id), request.user.get_username()
    change = "apply_suggestion" in request.POST

    def act() -> TrainingJob:
        return controls.retry_job(job_id=job.pk, by=by, apply_suggestion=change)[0]

    return done(request, job, act, "{job} was started again.")


@require_POST
def continue_from(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Continue from a checkpoint."""
    job, form = own_job(request.user, job_id), StepForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the checkpoints.")
        return redirect(job)
    by, step = request.user.get_username(), form.cleaned_data["step"]

    def act() -> TrainingJob:
        return controls.continue_job(job_id=job.pk, by=by, step=step)[0]

    return done(request, job, act, f"{{job}} continues from step {step}.")


@require_POST
def free(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Delete a checkpoint."""
    job, form = own_job(request.user, job_id), StepForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the checkpoints.")
        return redirect(job)
    by, step = request.user.get_username(), form.cleaned_data["step"]

    def act() -> TrainingJob:
        free_checkpoint(job_id=job.pk, step=step, by=by)
        return job

    return done(request, job, act, f"The checkpoint at step {step} was deleted.")
