"""URLs of notifications, webhooks and deliveries, under /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from notifications.api.settings import DeliveryViewSet, PreferencesView, WebhookViewSet
from notifications.api.views import NotificationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("notifications", NotificationViewSet, basename="api-notification")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
urlpatterns = [
    path(
        "notification-preferences",
        PreferencesView.as_view(),
        name="api-notification-preferences",
    ),
    path("", include(router.urls)),
]
