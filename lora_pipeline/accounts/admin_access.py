"""Sessions and failed sign-ins in the admin."""

from axes.models import (
    AccessAttempt,
    AccessAttemptExpiration,
    AccessFailureLog,
    AccessLog,
)
from django.contrib import admin
from django.http import HttpRequest

from lora_pipeline.admin_site.base import ReadOnlyAdmin
from lora_pipeline.admin_site.bulk_actions import bulk_action
from lora_pipeline.models import BrowserSession

SENT = ("get_data", "post_data", "http_accept")

for _model in (AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(BrowserSession)
class BrowserSessionAdmin(ReadOnlyAdmin):
    """Where people are signed in: not the hash of the key, nor what a session holds."""

    list_display_links = None

    hidden = ("session_key", "session_data")
    list_display = ("handle", "user_id", "address", "user_agent", "last_seen_at")
    ordering = ("-last_seen_at",)
    search_owner = "user_id"


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Failed sign-ins that count towards a lockout."""

    hidden = SENT
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    ordering = ("-pk",)
    search_start = "username"
    actions = (
        bulk_action(
            "Unlock", lambda attempt, by: attempt.delete(), permission="unlock"
        ),
    )

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "delete")


@admin.register(AccessFailureLog, AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Sign-in history, where it is recorded."""

    hidden = ("http_accept",)
    list_display = ("username", "ip_address", "attempt_time")
    ordering = ("-pk",)
    search_start = "username"
