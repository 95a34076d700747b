"""Pages of notifications and deliveries, under /notifications."""

from django.urls import path

from notifications.pages import settings, views

ONE = "notifications/<uuid:notice_id>"
WEBHOOK = "notifications/webhooks/<uuid:webhook_id>"
urlpatterns = [
    path("notifications", views.notification_list, name="notifications"),
    path("notifications/read-all", views.read_all, name="notices-read-all"),
    path(ONE, views.open_notice, name="notice"),
    path(f"{ONE}/read", views.read_notice, name="notice-read"),
    path("notifications/settings", settings.notice_settings, name="notice-settings"),
    path("notifications/settings/test-email", settings.email_test, name="test-email"),
    path(
        "notifications/settings/confirm",
        settings.confirm_address,
        name="confirm-address",
    ),
    path("notifications/webhooks", settings.webhook_add, name="add-webhook"),
    path(f"{WEBHOOK}/remove", settings.webhook_remove, name="remove-webhook"),
    path(f"{WEBHOOK}/wake", settings.webhook_wake, name="wake-webhook"),
    path(f"{WEBHOOK}/test", settings.webhook_test, name="test-webhook"),
    path("notifications/deliveries", settings.deliveries, name="deliveries"),
    path(
        "notifications/deliveries/<uuid:delivery_id>/again",
        settings.delivery_again,
        name="send-again",
    ),
]
