"""Rows for tests."""

import factory
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.models import User
from training.domain.config import fill_defaults
from training.models import Adapter, TrainingJob


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("correct horse battery")


class DatasetFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Dataset

    user = factory.SubFactory(UserFactory)
    name = "My Dataset"
    format = "openai_chat"
    status = "ready"
    training_ready = True
    file_name = "chats.jsonl"
    file_size = 1000
    total_training_pairs = 1000
    total_validation_pairs = 100
    total_tokens = 400_000


class TrainingJobFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TrainingJob

    user = factory.SubFactory(UserFactory)
    dataset = factory.SubFactory(DatasetFactory, user=factory.SelfAttribute("..user"))
    name = "A job"
    preset_id = "balanced"
    base_model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
    hyperparameters = fill_defaults(
        {"learning_rate": 0.00005, "batch_size": 4, "epochs": 3, "rank": 16}
    ).as_dict()
    gpu_config = {"type": "CPU", "count": 1}
    total_epochs = 3
    total_steps = 750
    queued_at = factory.LazyFunction(timezone.now)
    usd_per_gpu_hour = 0
    storage_usd = 0
    estimated_total_cost = 0
    estimated_hours = 1.0


def bring_to(job: TrainingJob, *statuses: str) -> None:
    """Lead a job along its life; the database refuses a shorter way."""
    for job.status in statuses:
        job.save()


class AdapterFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Adapter

    user = factory.SelfAttribute("job.user")
    job = factory.SubFactory(TrainingJobFactory)
    name = factory.SelfAttribute("job.name")
    version = factory.Sequence(lambda n: n + 1)
    storage_path = "adapters/none.zip"
    size_bytes = 10
    archive_sha256 = "a" * 64
    adapter_sha256 = "b" * 64
