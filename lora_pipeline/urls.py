"""The URL map."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("lora_pipeline.api_urls")),
    path("admin/", admin.site.urls),
]
