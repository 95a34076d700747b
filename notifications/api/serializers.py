"""Serializers of notifications."""

from typing import Any

from rest_framework import serializers

from lora_pipeline.api.rows import RowSerializer
from notifications.models import Notification


class NotificationSerializer(RowSerializer[Notification]):
    """A notification of the caller."""

    user_id = serializers.UUIDField()

    class Meta:
        model = Notification
        exclude = ["user"]


class AllReadSerializer(serializers.Serializer[Any]):
    """Number of notifications marked as read."""

    marked_read = serializers.IntegerField(min_value=0)
    unread_count = serializers.IntegerField(min_value=0)
