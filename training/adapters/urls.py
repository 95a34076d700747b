"""Adapter pages, under /adapters."""

from django.urls import path

from training.adapters import views

ONE = "adapters/<uuid:adapter_id>"
urlpatterns = [
    path("adapters", views.adapter_list, name="adapters"),
    path(ONE, views.adapter_page, name="adapter"),
    path(f"{ONE}/download", views.archive, name="adapter-download"),
    path(f"{ONE}/merged", views.merged_archive, name="adapter-merged"),
    path(f"{ONE}/rename", views.rename, name="adapter-rename"),
    path(f"{ONE}/delete", views.delete, name="adapter-delete"),
    path(f"{ONE}/export", views.export, name="adapter-export"),
    path(f"{ONE}/ask", views.ask, name="adapter-ask"),
    path(f"{ONE}/questions/clear", views.clear, name="adapter-questions-clear"),
]
