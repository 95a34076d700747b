"""Operators' view of people, and of the worker's tasks."""

import json

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob

from lora_pipeline.models import User

LONGEST_ARGUMENTS = 300

admin.site.register(User, UserAdmin)
admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class TaskAdmin(ProcrastinateJobAdmin):
    """As procrastinate shows it, without styles that the security policy forbids."""

    @admin.display(description="Arguments")
    def pretty_args(self, instance: ProcrastinateJob) -> str:
        words = json.dumps(instance.args)
        return words[:LONGEST_ARGUMENTS] + "…" * (len(words) > LONGEST_ARGUMENTS)

    @admin.display(description="Last event")
    def summary(self, instance: ProcrastinateJob) -> str:
        last = next(iter(instance.procrastinateevent_set.all()), None)
        return f"{last.type}, {last.at:%Y-%m-%d %H:%M:%S}" if last else ""
