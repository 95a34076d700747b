"""Data of the home page: running jobs, recent results and the next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.urls import reverse

from datasets.models import Dataset
from lora_pipeline.models import User
from training.domain import lifecycle
from training.models import TrainingJob

MOST_OPEN, MOST_RESULTS, MOST_DATASETS = 20, 5, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The suggested next step: a link and its reason."""

    title: str
    words: str
    url: str
    label: str


def work_of(user: User) -> dict[str, Any]:
    """The user's open jobs, started ones first, and the latest finished ones."""
    own = TrainingJob.objects.visible_to(user)
    in_turn = F("started_at").asc(nulls_last=True)
    open_jobs = own.open().order_by(in_turn, "queued_at")[:MOST_OPEN].joined()
    ended = own.filter(status__in=lifecycle.FINAL).order_by("-completed_at", "-id")
    return {
        "running": [job for job in open_jobs if job.status != lifecycle.QUEUED],
        "waiting": [job for job in open_jobs if job.status == lifecycle.QUEUED],
        "results": list(ended[:MOST_RESULTS].joined()),
    }


def next_step(work: dict[str, Any], datasets: Sequence[Dataset]) -> Step:
    """The most useful next step, given the user's data and jobs."""
    if work["running"] or work["waiting"]:
        return _watch((work["running"] + work["waiting"])[0])
    ready = next((dataset for dataset in datasets if dataset.is_trainable), None)
    if work["results"]:
        return _after(work["results"][0])
    if ready is not None:
        return Step(
            title="Configure a training job",
            words=f"{ready.name} is ready. See what training will cost and how long "
            "it will take before you start.",
            url=f"{reverse('configure')}?datasetId={ready.pk}",
            label="Configure",
        )
    return _data(datasets)


def _data(datasets: Sequence[Dataset]) -> Step:
    """The next step towards a dataset that is ready."""
    if not datasets:
        return Step(
            title="Upload a dataset",
            words="A file of conversations. Every line is validated, and you see what "
            "training will cost before you start.",
            url=reverse("dataset-upload"),
            label="Upload",
        )
    newest = datasets[0]
    words = "Validation is in progress and takes a few seconds."
    if newest.is_settled:
        words = "Some lines have errors. See which, fix them and upload the file again."
    return Step(
        title=f"Check {newest.name}",
        words=words,
        url=reverse("dataset", args=[newest.pk]),
        label="Open dataset",
    )


def _watch(job: TrainingJob) -> Step:
    words = "Follow its loss, time left and cost live."
    if job.status == lifecycle.QUEUED:
        words = "It starts automatically when its machine is free."
    return Step(
        title=f"Watch {job.name}",
        words=words,
        url=job.get_absolute_url(),
        label="Open job",
    )


def _after(job: TrainingJob) -> Step:
    """After a finished job: use its adapter, or see why it failed."""
    if job.artifact_id is not None:
        return Step(
            title=f"Use the adapter of {job.name}",
            words="Download it: it loads directly in PEFT and vLLM.",
            url=reverse("job-adapter", args=[job.pk]),
            label="Download",
        )
    if job.status == lifecycle.FAILED:
        return Step(
            title=f"See why {job.name} failed",
            words="The job's page shows the error and the trainer's output.",
            url=job.get_absolute_url(),
            label="Open job",
        )
    return Step(
        title=f"Start {job.name} again",
        words="With the same settings or different ones. You see the cost first.",
        url=reverse("job-again", args=[job.pk]),
        label="Configure",
    )
