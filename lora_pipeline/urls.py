"""The URL map."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, register_converter, reverse_lazy

import datasets.views
import notifications.views
import training.configure
import training.costs_views
import training.estimator_page
import training.fleet_page
import training.views
from datasets.downloads import PartConverter
from lora_pipeline import probes, session_views, views

register_converter(PartConverter, "dataset_part")
DATASET = "datasets/<uuid:dataset_id>"
JOB = "training/jobs/<uuid:job_id>"
NOTICE = "notifications/<uuid:notice_id>"
SIGN_IN = {"title": "Sign in to LoRA Pipeline", "submit": "Sign in"}
PASSWORD = {"title": "Change your password", "submit": "Change it", "back": "/"}

handler500 = "lora_pipeline.views.our_fault"
urlpatterns = [
    path("healthz", probes.alive, name="healthz"),
    path("readyz", probes.ready, name="readyz"),
    path("metrics", probes.figures, name="metrics"),
    path("", views.home, name="home"),
    path(
        "sign-in",
        auth.LoginView.as_view(template_name="form.html", extra_context=SIGN_IN),
        name="sign-in",
    ),
    path("sign-out", auth.LogoutView.as_view(), name="sign-out"),
    path(
        "password",
        auth.PasswordChangeView.as_view(
            template_name="form.html",
            extra_context=PASSWORD,
            success_url=reverse_lazy("home"),
        ),
        name="password",
    ),
    path("keys", views.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke", views.revoke_key, name="key-revoke"),
    path("sessions", session_views.sessions, name="sessions"),
    path("sessions/others/end", session_views.end_others, name="sessions-end-others"),
    path("sessions/<slug:handle>/end", session_views.end, name="session-end"),
    path("datasets", datasets.views.dataset_list, name="datasets"),
    path("datasets/upload", datasets.views.upload, name="dataset-upload"),
    path(DATASET, datasets.views.detail, name="dataset"),
    path(f"{DATASET}/examples", datasets.views.examples, name="examples-of-dataset"),
    path(f"{DATASET}/edit", datasets.views.edit_page, name="dataset-edit"),
    path(f"{DATASET}/version", datasets.views.version, name="dataset-version"),
    path(f"{DATASET}/measure", datasets.views.measure, name="dataset-measure"),
    path(f"{DATASET}/delete", datasets.views.delete, name="dataset-delete"),
    path(f"{DATASET}/restore", datasets.views.restore, name="restore-dataset"),
    path(
        f"{DATASET}/download/<dataset_part:part>",
        datasets.views.download,
        name="dataset-download",
    ),
    path("training/configure", training.configure.configure, name="configure"),
    path("training/jobs", training.views.job_list, name="jobs"),
    path("training/jobs/live", training.views.live_rows, name="jobs-live"),
    path(JOB, training.views.job_page, name="job"),
    path(f"{JOB}/again", training.views.again, name="job-again"),
    path(f"{JOB}/rename", training.views.rename, name="rename-job"),
    path(f"{JOB}/move", training.views.move, name="move-job"),
    path(f"{JOB}/cancel", training.views.cancel, name="cancel-job"),
    path(f"{JOB}/delete", training.views.delete, name="delete-job"),
    path(f"{JOB}/adapter", training.views.adapter, name="job-adapter"),
    path("notifications", notifications.views.notification_list, name="notifications"),
    path(
        "notifications/read-all", notifications.views.read_all, name="notices-read-all"
    ),
    path(NOTICE, notifications.views.open_notice, name="notice"),
    path(f"{NOTICE}/read", notifications.views.read_notice, name="notice-read"),
    path("notifications/", include("notifications.settings_urls")),
    path("", include("training.adapters_urls")),
    path("", include("training.monitoring_urls")),
    path("costs", training.costs_views.costs_page, name="costs"),
    path("costs.csv", training.costs_views.costs_csv, name="costs-csv"),
    path("api/", include("lora_pipeline.api_urls")),
    path("admin/fleet", training.fleet_page.fleet, name="fleet"),
    path("admin/estimator", training.estimator_page.estimator, name="estimator"),
    path("admin/", admin.site.urls),
]
