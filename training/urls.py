"""Pages of training: home, jobs, configuring, adapters, costs, and operators' views."""

from django.urls import include, path

from training.adapters.views import adapter
from training.configure.views import again, configure
from training.costs import views as costs
from training.home.views import home
from training.jobs.pages import compare_views, controls, downloads, views
from training.operators.estimator_page import estimator
from training.operators.fleet_page import fleet

JOB = "training/jobs/<uuid:job_id>"
urlpatterns = [
    path("", home, name="home"),
    path("training/configure", configure, name="configure"),
    path("training/compare", compare_views.compare, name="compare"),
    path("training/jobs", views.job_list, name="jobs"),
    path("training/jobs/live", views.live_rows, name="jobs-live"),
    path(JOB, views.job_page, name="job"),
    path(f"{JOB}/again", again, name="job-again"),
    path(f"{JOB}/rename", views.rename, name="job-rename"),
    path(f"{JOB}/move", views.move, name="job-move"),
    path(f"{JOB}/cancel", views.cancel, name="job-cancel"),
    path(f"{JOB}/delete", views.delete, name="job-delete"),
    path(f"{JOB}/adapter", adapter, name="job-adapter"),
    path(f"{JOB}/metrics.csv", downloads.metrics_csv, name="job-metrics-csv"),
    path(f"{JOB}/metrics.json", downloads.metrics_json, name="job-metrics-json"),
    path(f"{JOB}/log.txt", downloads.log_text, name="job-log"),
    path(f"{JOB}/pause", controls.pause, name="job-pause"),
    path(f"{JOB}/resume", controls.resume, name="job-resume"),
    path(f"{JOB}/retry", controls.retry, name="job-retry"),
    path(f"{JOB}/continue", controls.continue_from, name="job-continue"),
    path(f"{JOB}/free", controls.free, name="checkpoint-free"),
    path("", include("training.adapters.urls")),
    path("costs", costs.costs_page, name="costs"),
    path("costs.csv", costs.costs_csv, name="costs-csv"),
    path("admin/fleet", fleet, name="fleet"),
    path("admin/estimator", estimator, name="estimator"),
]
