"""Notifications, channel preferences, webhooks and deliveries."""

import uuid
from uuid import UUID

from django.conf import settings
from django.db import models

from lora_pipeline.models import User
from notifications.sending.targets import LONGEST_URL, host_of


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Queries shared by pages, API and admin."""

    def visible_to(self, user: "User") -> "NotificationQuerySet":
        """The user's own notifications."""
        return self.filter(user=user)

    def unread(self) -> "NotificationQuerySet":
        """Not opened and not marked as read."""
        return self.filter(read=False)

    def find(self, notice_id: UUID | str) -> "Notification | None":
        """The notification with this id, or None."""
        return self.filter(pk=notice_id).first()


class Notification(models.Model):
    """A message to one user."""

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
            models.Index(fields=["-created_at", "-id"], name="notifications_newest"),
        ]

    def __str__(self) -> str:
        return self.title


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """Queries for preferences."""

    def visible_to(self, user: "User") -> "PreferenceQuerySet":
        """The user's own preferences."""
        return self.filter(user=user)


class Preference(models.Model):
    """A user's channels for one kind, where they differ from the default."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    kind = models.CharField(max_length=50)
    by_email = models.BooleanField()
    by_webhook = models.BooleanField()

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        db_table = "notification_preferences"
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_choice_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Queries for webhooks."""

    def visible_to(self, user: "User") -> "WebhookQuerySet":
        """The user's own webhooks."""
        return self.filter(user=user)

    def awake(self) -> "WebhookQuerySet":
        """Those that did not fail again and again."""
        return self.filter(resting_since=None)

    def find(self, webhook_id: UUID | str) -> "Webhook | None":
        """The webhook with this id, or None."""
        return self.filter(pk=webhook_id).first()


class Webhook(models.Model):
    """A URL that a user's notifications are posted to, and its signing secret.

    The secret is stored in plain text because every signature needs it. `failures`
    counts failed attempts in a row; while it rests, nothing is sent until its user
    resumes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    url = models.CharField(max_length=LONGEST_URL)
    secret = models.CharField(max_length=100, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    resting_since = models.DateTimeField(null=True, editable=False)
    rest_reason = models.CharField(max_length=300, blank=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        db_table = "webhooks"
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        """The URL without its path, which many receivers treat as a secret."""
        return host_of(self.url)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Queries for deliveries."""

    def visible_to(self, user: "User") -> "DeliveryQuerySet":
        """Deliveries of the user's notifications, with the notifications."""
        return self.filter(notification__user=user).select_related("notification")

    def find(self, delivery_id: UUID | str) -> "Delivery | None":
        """The delivery with this id, or None."""
        return self.filter(pk=delivery_id).first()


class Delivery(models.Model):
    """Delivery of one notification over one channel, and its outcome."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RETRYING = "retrying", "Retrying"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.CharField(max_length=10, choices=Channel)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.SET_NULL)
    target = models.CharField(max_length=LONGEST_URL)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "notification_deliveries"
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["notification", "-created_at"], name="deliveries_list"
            ),
            models.Index(fields=["-created_at", "-id"], name="deliveries_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.receiver}"

    @property
    def receiver(self) -> str:
        """The receiver, without the secret parts of a webhook URL."""
        is_hook = self.channel == self.Channel.WEBHOOK
        return host_of(self.target) if is_hook else self.target

    @property
    def is_settled(self) -> bool:
        """Whether there will be no further automatic attempts."""
        return self.status in {self.Status.DELIVERED, self.Status.FAILED}
