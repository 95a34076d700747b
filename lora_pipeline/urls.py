"""The URL map: the console's own URLs and those of the apps."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, reverse_lazy

from lora_pipeline.accounts import key_views, recovery, session_views
from lora_pipeline.admin_site.completion import complete
from lora_pipeline.operations import probes

SIGN_IN = {
    "title": "Sign in to LoRA Pipeline",
    "submit": "Sign in",
    "beside": {"url": reverse_lazy("password-forgotten"), "words": "Forgot password?"},
}
PASSWORD = {
    "title": "Change your password",
    "submit": "Change password",
    "back": reverse_lazy("home"),
}

handler500 = "lora_pipeline.web.views.our_fault"
urlpatterns = [
    path("healthz", probes.alive, name="healthz"),
    path("readyz", probes.ready, name="readyz"),
    path("metrics", probes.figures, name="metrics"),
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
    path("password/forgotten", recovery.ask, name="password-forgotten"),
    path("password/new", recovery.choose, name="password-new"),
    path("keys", key_views.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke", key_views.revoke_key, name="key-revoke"),
    path("sessions", session_views.sessions, name="sessions"),
    path("sessions/others/end", session_views.end_others, name="sessions-end-others"),
    path("sessions/<slug:handle>/end", session_views.end, name="session-end"),
    path("", include("datasets.urls")),
    path("", include("training.urls")),
    path("", include("notifications.urls")),
    path("api/", include("lora_pipeline.api_urls")),
    path(
        "admin/autocomplete/",
        admin.site.admin_view(complete),
        name="admin-autocomplete",
    ),
    path("admin/", admin.site.urls),
]
