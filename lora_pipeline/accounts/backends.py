"""Who is signed in, by a query that also shows their rows."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security


class Users(ModelBackend):
    """Django's users; looking one up for a session brings their rows into view."""

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session; None when there is none or it was deactivated."""
        seen = User.objects.annotate(**row_security.from_then_on("pk"))
        user: User | None = seen.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
