"""A full table of jobs, to see how the console carries it. Run in `manage.py shell`."""

from decimal import Decimal

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


def fill(count: int, each: int = 2000) -> None:
    """So many ended jobs of made-up users, for measuring."""
    for number, start in enumerate(range(0, count, each)):
        make_jobs(f"made-{number}", min(each, count - start))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE training_jobs")


@transaction.atomic
def make_jobs(username: str, count: int) -> User:
    """A user without a password, with a dataset and so many completed jobs."""
    user = User.objects.create(username=username)
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
