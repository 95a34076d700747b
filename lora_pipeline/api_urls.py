"""URLs under /api/: the schema and each app's endpoints."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from lora_pipeline.accounts.quota_api import QuotasView
from lora_pipeline.web import views

urlpatterns = [
    path("docs", views.api_docs, name="api-docs"),
    path("schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("quotas", QuotasView.as_view(), name="api-quotas"),
    path("", include("datasets.api_urls")),
    path("", include("training.api_urls")),
    path("", include("notifications.api_urls")),
]
