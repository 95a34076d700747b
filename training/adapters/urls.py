"""Adapter pages, under /adapters."""

from django.urls import path

from training.adapters import views

ONE = "adapters/<uuid:adapter_id>"
urlpatterns = [
    path("adapters", views.adapter_list, name="adapters"),
    path(ONE, views.adapter_page, name="adapter"),
    path(f"{ONE}/download", views.archive, name="download-adapter"),
    path(f"{ONE}/merged", views.merged_archive, name="download-merged"),
    path(f"{ONE}/rename", views.rename, name="rename-adapter"),
    path(f"{ONE}/delete", views.delete, name="delete-adapter"),
    path(f"{ONE}/export", views.export, name="export-adapter"),
    path(f"{ONE}/ask", views.ask, name="ask-adapter"),
    path(f"{ONE}/questions/clear", views.clear, name="clear-questions"),
]
