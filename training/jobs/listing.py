"""A user's jobs as the API lists them without a filter: compiled, cut like a list."""

from dataclasses import dataclass
from uuid import UUID

from datasets.models import Dataset, DatasetQuerySet
from lora_pipeline.models import User
from lora_pipeline.postgres.compiled import Compiled, any_of
from training.models import TrainingJob
from training.models.jobs import TrainingJobQuerySet

LONG_FIELDS = ("estimate", "error_stack")
DATASET_FIELDS = ("id", "name", "format", "total_training_pairs")


def listed(user: User) -> TrainingJobQuerySet:
    """The user's jobs without their long texts, to be filtered."""
    return TrainingJob.objects.visible_to(user).listed().defer(*LONG_FIELDS)


def _rows(user: UUID) -> TrainingJobQuerySet:
    return TrainingJob.objects.visible_to(User(pk=user)).defer(*LONG_FIELDS)


def _keys(user: UUID) -> TrainingJobQuerySet:
    return _rows(user).only("pk").order_by()


def _datasets(keys: str) -> DatasetQuerySet:
    return Dataset.objects.filter(any_of("pk", keys)).only(*DATASET_FIELDS).order_by()


ROWS, KEYS = Compiled(_rows, user=UUID), Compiled(_keys, user=UUID)
DATASETS = Compiled(_datasets, keys=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnJobs:
    """All jobs of a user, newest first; three queries for a page and the count."""

    user: User

    def count(self) -> int:
        return KEYS.count(user=self.user.pk)

    def __getitem__(self, part: slice) -> list[TrainingJob]:
        start, stop = part.start or 0, part.stop
        jobs = ROWS.page(start, stop - start, user=self.user.pk)
        keys = list({job.dataset_id for job in jobs})
        datasets = {one.pk: one for one in DATASETS.rows(keys=keys)}
        for job in jobs:
            job.dataset = datasets[job.dataset_id]
        return jobs
