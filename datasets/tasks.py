"""Worker tasks for datasets."""

from django.db import DatabaseError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from datasets.checking.check import check_dataset, give_up
from datasets.tokens.measure import measure_again

RETRIES = RetryStrategy(max_attempts=3, exponential_wait=2)


@app.task(name="validate_dataset", retry=RETRIES)
def validate_dataset(dataset_id: str) -> None:
    """Validate an uploaded file and write its splits; safe to run twice."""
    try:
        check_dataset(dataset_id)
    except (DatabaseError, OSError):
        raise
    except Exception:
        give_up(dataset_id)
        raise


@app.task(name="measure_dataset", retry=RETRIES)
def measure_dataset_task(dataset_id: str, base_model: str) -> None:
    """Count tokens with another base model's tokenizer."""
    measure_again(dataset_id, base_model)
