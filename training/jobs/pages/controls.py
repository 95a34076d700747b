"""What can be done to a job from its page: pause, resume, again, continue, free."""

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
    """A cap to resume with; empty keeps the one there is."""

    max_cost = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=4, required=False
    )


class StepForm(forms.Form):
    """Which checkpoint."""

    step = forms.IntegerField(min_value=1, max_value=2**31 - 1)


def done(
    request: UserRequest, job: TrainingJob, act: Callable[[], TrainingJob], words: str
) -> HttpResponse:
    """Do it and say so, or say why not; then the page of the job that came of it."""
    try:
        after = act()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(job)
    messages.success(request, words.format(job=after.name))
    return redirect(after)


@require_POST
def pause(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Put it aside, to go on later."""
    job, by = own_job(request.user, job_id), request.user.get_username()
    words = "{job} pauses: a run saves a checkpoint first."
    return done(request, job, lambda: controls.pause_job(job_id=job.pk, by=by), words)


@require_POST
def resume(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Go on, with a higher cap if one is given."""
    job, form = own_job(request.user, job_id), CapForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The job was not resumed: give the cap as USD.")
        return redirect(job)
    by, cap = request.user.get_username(), form.cleaned_data["max_cost"]

    def act() -> TrainingJob:
        return controls.resume_job(job_id=job.pk, by=by, max_cost=cap)

    return done(request, job, act, "{job} goes on as soon as its machine is free.")


@require_POST
def retry(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Start an ended job again, with the change that its failure suggested if asked."""
    job, by = own_job(request.user, job_id), request.user.get_username()
    change = "apply_suggestion" in request.POST

    def act() -> TrainingJob:
        return controls.retry_job(job_id=job.pk, by=by, apply_suggestion=change)[0]

    return done(request, job, act, "{job} was started again.")


@require_POST
def continue_from(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Go on from a checkpoint."""
    job, form = own_job(request.user, job_id), StepForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the checkpoints.")
        return redirect(job)
    by, step = request.user.get_username(), form.cleaned_data["step"]

    def act() -> TrainingJob:
        return controls.continue_job(job_id=job.pk, by=by, step=step)[0]

    return done(request, job, act, f"{{job}} goes on from step {step}.")


@require_POST
def free(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Give a checkpoint's room back."""
    job, form = own_job(request.user, job_id), StepForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the checkpoints.")
        return redirect(job)
    by, step = request.user.get_username(), form.cleaned_data["step"]

    def act() -> TrainingJob:
        free_checkpoint(job_id=job.pk, step=step, by=by)
        return job

    return done(request, job, act, f"The checkpoint of step {step} was freed.")
