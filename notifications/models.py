"""What happened, told to its owner."""

import uuid

from django.conf import settings
from django.db import models

from notifications.querysets import NotificationQuerySet


class Notification(models.Model):
    """One message to one user."""

    class Priority(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    type = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    message = models.TextField()
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.LOW)
    read = models.BooleanField(default=False)
    action_url = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["user", "-created_at", "-id"], name="notifications_list"
            ),
            models.Index(
                fields=["user"],
                condition=models.Q(read=False),
                name="notifications_unread",
            ),
        ]

    def __str__(self) -> str:
        return self.title
