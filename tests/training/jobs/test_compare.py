"""Jobs beside each other: owner and stranger."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import TrainingJobFactory
from training.domain.config import fill_defaults
from training.models import MetricPoint, RunAttempt


def measured(owner, dataset, name, losses, **fields):
    job = TrainingJobFactory(user=owner, dataset=dataset, name=name, **fields)
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk))
    for step, (loss, validation) in enumerate(losses, 1):
        MetricPoint.objects.create(
            job=job, attempt=attempt, step=step, epoch=0, loss=loss,
            validation_loss=validation, at=timezone.now(),
        )  # fmt: skip
    return job


@pytest.fixture
def jobs(owner, dataset):
    other = fill_defaults(
        {"learning_rate": 0.0001, "batch_size": 4, "epochs": 3, "rank": 32}
    ).as_dict()
    return [
        measured(owner, dataset, "first", [(3.0, None), (2.0, 1.75)],
                 running_seconds=3700, current_cost="1.25"),
        measured(owner, dataset, "second", [(3.5, None), (1.5, 1.25)],
                 hyperparameters=other),
        measured(owner, dataset, "third", []),
    ]  # fmt: skip


def address(jobs) -> str:
    return "/training/compare?" + "&".join(f"job={job.pk}" for job in jobs)


def test_losses_are_overlaid_and_differences_marked(jobs, browser_of_owner):
    page = browser_of_owner.get(address(jobs))
    text = page.content.decode()
    assert [line.css for line in page.context["chart"].lines] == ["line-1", "line-2"]
    differing = {row.label for row in page.context["rows"] if row.differs}
    assert differing == {"Learning rate", "LoRA rank", "Alpha"}
    assert text.count('class="differs"') == 3
    for words in ("2.0000", "1.5000", "1.7500", "1 h 01 min", "1.25"):
        assert words in text
    marked = [c.job.name for c in page.context["columns"] if c.best_loss]
    assert marked == ["second"]


def test_the_switches_keep_the_jobs(jobs, browser_of_owner):
    text = browser_of_owner.get(address(jobs) + "&log=1").content.decode()
    assert f"?job={jobs[0].pk}&job={jobs[1].pk}" in text.replace("&amp;", "&")


def test_two_to_six_can_be_compared(jobs, owner, dataset, browser_of_owner):
    text = browser_of_owner.get(address(jobs[:1])).content.decode()
    assert "Choose 2 to 6 jobs" in text
    assert f'value="{jobs[0].pk}" checked' in text
    more = [TrainingJobFactory(user=owner, dataset=dataset) for _ in range(4)]
    text = browser_of_owner.get(address(jobs + more)).content.decode()
    assert "7 jobs were selected" in text


def test_what_names_no_job_is_left_out(jobs, browser_of_owner):
    text = browser_of_owner.get(address(jobs) + "&job=nonsense").content.decode()
    assert "Compare 3 jobs" in text
    assert "1 of the requested jobs" in text


def test_a_strangers_job_is_left_out_like_one_that_is_not_there(
    jobs, stranger, browser_of_owner
):
    foreign = TrainingJobFactory(user=stranger, name="theirs")
    text = browser_of_owner.get(address([*jobs, foreign])).content.decode()
    assert "theirs" not in text
    assert "1 of the requested jobs" in text
    client = Client()
    client.force_login(stranger)
    text = client.get(address(jobs)).content.decode()
    assert "second" not in text


def test_the_list_offers_to_compare(jobs, browser_of_owner):
    text = browser_of_owner.get("/training/jobs").content.decode()
    assert text.count('form="compare-jobs"') == 3
    assert 'action="/training/compare"' in text


def test_comparing_takes_the_same_queries_for_two_and_for_three(
    jobs, browser_of_owner, django_assert_num_queries
):
    for asked in (jobs[:2], jobs):
        with django_assert_num_queries(6):
            text = browser_of_owner.get(address(asked)).content.decode()
        assert f"Compare {len(asked)} jobs" in text
