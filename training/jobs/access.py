"""Whose job it is."""

from uuid import UUID

from lora_pipeline.errors import NotYours
from lora_pipeline.models import User
from training.models import TrainingJob


def own_job(user: User, job_id: UUID) -> TrainingJob:
    """The user's job, joined with its dataset. Raises NotYours."""
    own = TrainingJob.objects.visible_to(user).with_dataset()
    if (job := own.find(job_id)) is None:
        raise NotYours("job")
    return job
