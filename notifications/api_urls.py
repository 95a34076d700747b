"""URLs of notifications, webhooks and deliveries, under /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from notifications.api.settings import DeliveryViewSet, PreferencesView, WebhookViewSet
from notifications.api.views import NotificationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("notifications", NotificationViewSet, basename="notification")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("deliveries", DeliveryViewSet, basename="delivery")
urlpatterns = [
    path(
        "notification-preferences",
        PreferencesView.as_view(),
        name="notification-preferences",
    ),
    path("", include(router.urls)),
]
