"""Notifications as the API shows them."""

from rest_framework import serializers

from notifications.models import Notification


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """One message to the caller."""

    class Meta:
        model = Notification
        exclude = ["user"]
