"""The addresses of jobs, adapters, costs, catalogue and runs, under /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from training.adapters.api import AdapterViewSet
from training.catalogue.api import BaseModelView, GpuView, PresetView
from training.costs.api import CostsView
from training.jobs.api.checkpoints import CheckpointsView, FreeCheckpointView
from training.jobs.api.metrics import MetricsView
from training.jobs.api.views import JobViewSet

JOB = "jobs/<uuid:job_id>"
router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("adapters", AdapterViewSet, basename="api-adapter")
router.register("jobs", JobViewSet, basename="api-job")

urlpatterns = [
    path("runs/<uuid:run_id>/", include("training.runs.protocol.urls")),
    path("gpus", GpuView.as_view(), name="api-gpus"),
    path("presets", PresetView.as_view(), name="api-presets"),
    path("costs", CostsView.as_view(), name="api-costs"),
    path("base-models", BaseModelView.as_view(), name="api-base-models"),
    path(f"{JOB}/checkpoints", CheckpointsView.as_view(), name="api-job-checkpoints"),
    path(
        f"{JOB}/checkpoints/<int:step>/free",
        FreeCheckpointView.as_view(),
        name="api-checkpoint-free",
    ),
    path(f"{JOB}/metrics", MetricsView.as_view(), name="api-job-metrics"),
    path("", include(router.urls)),
]
