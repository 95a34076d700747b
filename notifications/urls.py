"""Pages of notifications and deliveries, under /notifications."""

from django.urls import path

from notifications.pages import settings, views

ONE = "notifications/<uuid:notice_id>"
WEBHOOK = "notifications/webhooks/<uuid:webhook_id>"
urlpatterns = [
    path("notifications", views.notification_list, name="notifications"),
    path("notifications/read-all", views.read_all, name="notifications-read-all"),
    path(ONE, views.open_notice, name="notification"),
    path(f"{ONE}/read", views.read_notice, name="notification-read"),
    path(
        "notifications/settings", settings.notice_settings, name="notification-settings"
    ),
    path("notifications/settings/test-email", settings.email_test, name="email-test"),
    path(
        "notifications/settings/confirm",
        settings.confirm_address,
        name="address-confirm",
    ),
    path("notifications/webhooks", settings.webhook_add, name="webhook-add"),
    path(f"{WEBHOOK}/remove", settings.webhook_remove, name="webhook-remove"),
    path(f"{WEBHOOK}/wake", settings.webhook_wake, name="webhook-wake"),
    path(f"{WEBHOOK}/test", settings.webhook_test, name="webhook-test"),
    path("notifications/deliveries", settings.deliveries, name="deliveries"),
    path(
        "notifications/deliveries/<uuid:delivery_id>/again",
        settings.delivery_again,
        name="delivery-send-again",
    ),
]
