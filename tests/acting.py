"""For whom the database shows its rows, in tests."""

from typing import Any

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security


def act_for(user_id: Any) -> None:
    """See what this user sees, by the query by which requests come to see it."""
    User.objects.annotate(**row_security.from_then_on("pk")).get(pk=user_id)
