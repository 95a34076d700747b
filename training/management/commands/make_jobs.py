"""`manage.py make_jobs`: fills the job table for load tests."""

from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.models import User
from training.domain import lifecycle
from training.domain.config import fill_defaults
from training.domain.presets import DEFAULT_PRESET
from training.models import BaseModel, TrainingJob

AT = "now() - n * interval '1 second'"
VARIED = {
    "id": "gen_random_uuid()",
    "name": "'made job ' || n",
    "queued_at": AT,
    "started_at": AT,
    "completed_at": AT,
    "created_at": AT,
    "updated_at": AT,
}


class Command(BaseCommand):
    help = (
        "Fill the job table with finished jobs of fake users, for load tests. "
        "Remove them again with --remove."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("count", type=int, nargs="?", default=1_000_000)
        parser.add_argument("--each", type=int, default=2000, help="jobs per user")
        parser.add_argument("--prefix", default="made", help="prefix of the user names")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove(options["prefix"])
        elif options["count"] < 1 or options["each"] < 1:
            raise CommandError("Counts must be at least 1.")
        else:
            self._make(options["prefix"], options["count"], options["each"])

    def _make(self, prefix: str, count: int, each: int) -> None:
        left, number = count, 0
        while left > 0:
            make_jobs(f"{prefix}-{number}", min(each, left))
            left, number = left - each, number + 1
            if number % 50 == 0:
                self.stdout.write(f"{count - max(left, 0):,} jobs")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE training_jobs")
        self.stdout.write(f"{count:,} jobs of {number:,} users")

    def _remove(self, prefix: str) -> None:
        """Fake users have no password; other users are not touched."""
        users = User.objects.filter(username__startswith=f"{prefix}-", password="")
        with transaction.atomic():
            jobs = TrainingJob.objects.filter(user__in=users)
            jobs._raw_delete(jobs.db)
            Dataset.objects.filter(user__in=users).delete()
            users.delete()
        self.stdout.write(f"removed the fake users {prefix}-… and their jobs")


@transaction.atomic
def make_jobs(username: str, count: int) -> User:
    """A user without a password, with a dataset and completed jobs."""
    user, is_new = User.objects.get_or_create(username=username)
    if not is_new:
        raise CommandError(f"User {username!r} already exists. Use another --prefix.")
    pattern = _pattern(user)
    columns = [str(field.column) for field in TrainingJob._meta.concrete_fields]
    values = ", ".join(VARIED.get(column, f"pattern.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO training_jobs ({', '.join(columns)}) SELECT {values}"  # noqa: S608 - columns of the model and constants of ours
            " FROM training_jobs AS pattern, generate_series(2, %s) AS n"
            " WHERE pattern.id = %s",
            [count, pattern.pk],
        )
    return user


def _pattern(user: User) -> TrainingJob:
    """The job that all others of the user are copied from."""
    dataset = Dataset.objects.create(
        user=user,
        name=f"data of {user.username}",
        file_name="made.jsonl",
        status=Dataset.Status.READY,
        training_ready=True,
        total_training_pairs=1000,
        total_validation_pairs=100,
        total_tokens=400_000,
    )
    return TrainingJob.objects.create(
        user=user,
        dataset=dataset,
        name="made job 1",
        preset_id=DEFAULT_PRESET.id,
        base_model=BaseModel.objects.enabled()[0],
        hyperparameters=fill_defaults(DEFAULT_PRESET.values()).as_dict(),
        gpu_config={"type": "A100-80GB", "count": 2},
        status=lifecycle.COMPLETED,
        current_stage="completed",
        progress=1,
        current_epoch=3,
        total_epochs=3,
        current_step=750,
        total_steps=750,
        current_metrics={"loss": 0.9, "validation_loss": 1.1},
        queued_at=timezone.now(),
        usd_per_gpu_hour=Decimal("3.50"),
        storage_usd=Decimal("0.50"),
        running_seconds=2100,
        current_cost=Decimal("4.58"),
        estimated_total_cost=Decimal("4.65"),
        estimated_hours=0.59,
        final_cost=Decimal("4.58"),
    )
