"""Everything under /api/."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from datasets.api import DatasetViewSet
from lora_pipeline import views
from notifications.api import NotificationViewSet
from notifications.settings_api import (
    DeliveryViewSet,
    PreferencesView,
    WebhookViewSet,
)
from training.adapters_api import AdapterViewSet
from training.api import JobViewSet
from training.catalogue_api import BaseModelView, GpuView, PresetView
from training.checkpoints_api import CheckpointsView, FreeCheckpointView
from training.costs_views import CostsView
from training.monitoring_views import MetricsView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="api-dataset")
router.register("adapters", AdapterViewSet, basename="adapter")
router.register("jobs", JobViewSet, basename="job")
router.register("notifications", NotificationViewSet, basename="notification")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("deliveries", DeliveryViewSet, basename="delivery")

urlpatterns: list[URLPattern | URLResolver] = [
    path("docs", views.api_docs, name="api-docs"),
    path("schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("runs/<uuid:run_id>/", include("training.run_urls")),
    path("gpus", GpuView.as_view(), name="gpus"),
    path("presets", PresetView.as_view(), name="presets"),
    path("costs", CostsView.as_view(), name="api-costs"),
    path("base-models", BaseModelView.as_view(), name="base-models"),
    path(
        "notification-preferences",
        PreferencesView.as_view(),
        name="notification-preferences",
    ),
    path(
        "jobs/<uuid:job_id>/checkpoints",
        CheckpointsView.as_view(),
        name="job-checkpoints",
    ),
    path(
        "jobs/<uuid:job_id>/checkpoints/<int:step>/free",
        FreeCheckpointView.as_view(),
        name="checkpoint-free",
    ),
    path("jobs/<uuid:job_id>/metrics", MetricsView.as_view(), name="job-metrics"),
    path("", include(router.urls)),
]
