"""Addresses of what jobs measured, and of jobs beside each other."""

from django.urls import path

from training import compare_views
from training import controls_views as controls
from training import monitoring_views as views

JOB = "training/jobs/<uuid:job_id>"
urlpatterns = [
    path("training/compare", compare_views.compare, name="compare"),
    path(f"{JOB}/metrics.csv", views.metrics_csv, name="job-metrics-csv"),
    path(f"{JOB}/metrics.json", views.metrics_json, name="job-metrics-json"),
    path(f"{JOB}/log.txt", views.log_text, name="job-log"),
    path(f"{JOB}/pause", controls.pause, name="pause-job"),
    path(f"{JOB}/resume", controls.resume, name="resume-job"),
    path(f"{JOB}/retry", controls.retry, name="retry-job"),
    path(f"{JOB}/continue", controls.continue_from, name="continue-job"),
    path(f"{JOB}/free", controls.free, name="free-checkpoint"),
]
