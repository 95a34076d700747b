"""Addresses about what is sent out, under /notifications/."""

from django.urls import path

from notifications import settings_views as views

urlpatterns = [
    path("settings", views.notice_settings, name="notice-settings"),
    path("settings/test-email", views.email_test, name="test-email"),
    path("webhooks", views.webhook_add, name="add-webhook"),
    path(
        "webhooks/<uuid:webhook_id>/remove", views.webhook_remove, name="remove-webhook"
    ),
    path("webhooks/<uuid:webhook_id>/test", views.webhook_test, name="test-webhook"),
    path("deliveries", views.deliveries, name="deliveries"),
    path(
        "deliveries/<uuid:delivery_id>/again",
        views.delivery_again,
        name="send-again",
    ),
]
