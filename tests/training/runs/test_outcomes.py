"""What a failed attempt does to its job."""

import pytest
from django.utils import timezone

from tests.factories import TrainingJobFactory, bring_to
from training.models import RunAttempt
from training.runs.outcomes import attempt_failed


@pytest.mark.parametrize(
    ("kind", "status", "retries", "charged"),
    [
        ("certain_error", "failed", 0, False),
        ("unfit_model", "failed", 0, True),
        ("no_answers", "failed", 0, True),
        ("trainer_error", "queued", 1, False),
    ],
)
def test_only_what_may_go_well_is_tried_again(
    owner, dataset, kind, status, retries, charged
):
    job = TrainingJobFactory(user=owner, dataset=dataset)
    bring_to(job, "initializing", "running")
    attempt = RunAttempt.objects.create(
        job=job, number=1, token_hash=kind, started_at=timezone.now()
    )
    attempt_failed(job, attempt, outcome="failed", kind=kind, message="m", by="run")
    job.refresh_from_db()
    assert (job.status, job.retry_count, attempt.charged) == (status, retries, charged)
