"""Loads the signed-in user with a query that also makes their rows visible."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security


class Users(ModelBackend):
    """Django's user backend; loading a session's user makes their rows visible."""

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, or None if missing or deactivated."""
        seen = User.objects.annotate(**row_security.from_then_on("pk"))
        user: User | None = seen.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
