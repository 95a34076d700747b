"""What the first page shows: what runs, what came of it, and what to do next."""

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
    """The one thing to do next, as a link with its reason."""

    title: str
    words: str
    url: str
    label: str


def work_of(user: User) -> dict[str, Any]:
    """The user's open jobs, started ones first, and what ended last."""
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
    """The most useful thing to do now, from the state of data and jobs."""
    if work["running"] or work["waiting"]:
        return _watch((work["running"] + work["waiting"])[0])
    ready = next((dataset for dataset in datasets if dataset.is_trainable), None)
    if work["results"]:
        return _after(work["results"][0])
    if ready is not None:
        return Step(
            title="Configure a training job",
            words=f"{ready.name} is ready. See what training on it costs and how long "
            "it takes before you start.",
            url=f"{reverse('configure')}?datasetId={ready.pk}",
            label="Configure",
        )
    return _data(datasets)


def _data(datasets: Sequence[Dataset]) -> Step:
    """Towards a dataset that can be trained on."""
    if not datasets:
        return Step(
            title="Upload a dataset",
            words="A file of conversations. Every line is checked, and you see what "
            "it would cost to train on.",
            url=reverse("dataset-upload"),
            label="Upload",
        )
    newest = datasets[0]
    words = "Every line is being checked; this takes moments."
    if newest.is_settled:
        words = "Some lines cannot be used: see which, mend them and upload it again."
    return Step(
        title=f"See how {newest.name} was read",
        words=words,
        url=reverse("dataset", args=[newest.pk]),
        label="To the dataset",
    )


def _watch(job: TrainingJob) -> Step:
    words = "Its loss, time left and cost are shown as they come."
    if job.status == lifecycle.QUEUED:
        words = "It starts by itself as soon as its machine is free."
    return Step(
        title=f"Watch {job.name}",
        words=words,
        url=job.get_absolute_url(),
        label="To the job",
    )


def _after(job: TrainingJob) -> Step:
    """After a job ended: use what came of it, or see why nothing did."""
    if job.artifact_id is not None:
        return Step(
            title=f"Use the adapter of {job.name}",
            words="Download it: it loads in PEFT and vLLM as it is.",
            url=reverse("job-adapter", args=[job.pk]),
            label="Download",
        )
    if job.status == lifecycle.FAILED:
        return Step(
            title=f"See why {job.name} failed",
            words="The job's page says what went wrong and what the trainer wrote.",
            url=job.get_absolute_url(),
            label="To the job",
        )
    return Step(
        title=f"Start {job.name} again",
        words="With the same settings, or with others: you see the cost before.",
        url=reverse("job-again", args=[job.pk]),
        label="Configure",
    )
