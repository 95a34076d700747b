"""API keys, the admin log and worker tasks in the admin."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from procrastinate.contrib.django.models import ProcrastinateJob

from lora_pipeline.accounts import admin_access  # noqa: F401 - registers its tables
from lora_pipeline.accounts.services import revoke_api_key
from lora_pipeline.admin_site.base import ReadOnlyAdmin
from lora_pipeline.admin_site.bulk_actions import bulk_action
from lora_pipeline.errors import Refusal
from lora_pipeline.models import ApiKey

admin.site.site_header = "LoRA Pipeline administration"
admin.site.site_title = "LoRA Pipeline"
admin.site.index_title = "Site administration"


def revoke(key: ApiKey) -> None:
    """Raises Refusal for a key that is already revoked."""
    if key.is_revoked:
        raise Refusal("It is already revoked.")
    revoke_api_key(key=key)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys and their last use; never the key or its hash."""

    hidden = ("key_hash",)
    list_display = (
        "name", "user", "prefix", "scope", "created_at", "last_used_at", "expires_at",
        "revoked_at",
    )  # fmt: skip
    list_select_related = ("user",)
    list_filter = ("scope",)
    search_owner, search_start = "user", "name"
    actions = (
        bulk_action(
            "Revoke",
            lambda key, by: revoke(key),
            permission="revoke",
            warning="Requests with these keys will get a 401. This cannot be undone.",
        ),
    )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who changed what in the admin."""

    list_display = (
        "action_time", "user", "content_type", "object_repr", "change_message",
    )  # fmt: skip
    list_select_related = ("user", "content_type")
    ordering = ("-pk",)
    search_owner = "user"


admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class TaskAdmin(ReadOnlyAdmin):
    """The worker's queued, running and finished tasks; arguments are ids."""

    list_display = ("id", "task_name", "status", "attempts", "scheduled_at", "args")
    ordering = ("-id",)
