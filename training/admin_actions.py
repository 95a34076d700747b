"""What operators do to jobs from the admin's list, each with its word back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from lora_pipeline.envelope import Refusal
from training.controls import (
    continue_job,
    pause_job,
    resume_job,
    retry_job,
    set_priority,
)
from training.domain.priority import HIGH, LOW, NORMAL
from training.models import TrainingJob
from training.services import cancel_job

Action = Callable[[Any, HttpRequest, "QuerySet[TrainingJob]"], None]


def job_action(title: str, apply: Callable[[UUID, str], object]) -> Action:
    """An admin action that does one thing to every chosen job; refusals are told."""

    @admin.action(description=title, permissions=["control"])
    def run(
        modeladmin: Any, request: HttpRequest, queryset: "QuerySet[TrainingJob]"
    ) -> None:
        done = 0
        for job in queryset:
            try:
                apply(job.pk, request.user.get_username())
            except Refusal as refusal:
                messages.error(request, f"{job.name}: {refusal.message}")
            else:
                done += 1
        if done:
            messages.success(request, f"{title}: {done} done.")

    run.__name__ = title.lower().replace(" ", "_").replace(",", "")
    return run


def _priority(priority: int) -> Callable[[UUID, str], object]:
    def apply(job_id: UUID, by: str) -> object:
        return set_priority(job_id=job_id, priority=priority, by=by, is_operator=True)

    return apply


JOB_ACTIONS = [
    job_action("Cancel", lambda job_id, by: cancel_job(job_id=job_id, by=by)),
    job_action(
        "Pause",
        lambda job_id, by: pause_job(job_id=job_id, by=by, reason="operator"),
    ),
    job_action("Resume", lambda job_id, by: resume_job(job_id=job_id, by=by)),
    job_action("Start again", lambda job_id, by: retry_job(job_id=job_id, by=by)),
    job_action(
        "Continue from the last checkpoint",
        lambda job_id, by: continue_job(job_id=job_id, by=by),
    ),
    job_action("Priority high", _priority(HIGH)),
    job_action("Priority normal", _priority(NORMAL)),
    job_action("Priority low", _priority(LOW)),
]
