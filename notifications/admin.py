"""Notifications and their deliveries in the admin."""

from django.contrib import admin
from django.http import HttpRequest

from lora_pipeline.admin_site.base import ReadOnlyAdmin, ReadOnlyRows
from lora_pipeline.admin_site.bulk_actions import bulk_action
from notifications.models import Delivery, Notification, Preference, Webhook
from notifications.webhooks import remove_webhook


class DeliveryRows(ReadOnlyRows):
    """Deliveries of a notification."""

    model = Delivery
    fields = ("channel", "receiver", "status", "attempts", "tried_at")
    verbose_name_plural = "deliveries"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Notifications of all users."""

    list_display = ("title", "user", "type", "priority", "read", "created_at")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    search_owner = "user"
    inlines = (DeliveryRows,)


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """Channels per kind of notification, as users chose them."""

    list_display = ("user", "kind", "by_email", "by_webhook")
    list_select_related = ("user",)
    ordering = ("-pk",)
    search_owner = "user"


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Webhook hosts only: no secret and no path, which is often a secret too."""

    hidden = ("url", "secret")
    extra = ("host",)
    list_display = ("host", "user", "failures", "resting_since", "created_at")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    search_owner = "user"
    actions = (
        bulk_action(
            "Remove",
            lambda webhook, by: remove_webhook(webhook=webhook),
            permission="remove",
            warning="Nothing more is sent there. Only their owners can add them again.",
        ),
    )

    @admin.display(description="host")
    def host(self, webhook: Webhook) -> str:
        return str(webhook)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """The delete permission lets operators remove webhooks through the service."""
        return self.may(request, "delete")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Every delivery with its outcome."""

    hidden = ("target",)
    extra = ("receiver",)
    list_display = (
        "notification", "channel", "receiver", "status", "attempts", "response_status",
        "created_at",
    )  # fmt: skip
    list_select_related = ("notification",)
    ordering = ("-created_at",)
