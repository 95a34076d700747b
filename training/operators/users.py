"""Operators' view of people and groups: what they may do, spend and have spent."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from lora_pipeline.accounts.quotas import KINDS, quotas_of
from lora_pipeline.accounts.services import save_user
from lora_pipeline.admin_site.base import BoundedAdmin
from lora_pipeline.models import User
from training.costs.budget import budget_of
from training.jobs.services import cancel_job
from training.models import TrainingJob

MOST_NAMED = 5
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
QUOTAS = tuple(f"quota_{kind}" for kind in KINDS)


KEEP, CANCEL = "keep", "cancel"
CHOICES = [("", "---"), (KEEP, "Let them go on"), (CANCEL, "Cancel them")]


class PersonForm(UserChangeForm):  # type: ignore[type-arg]
    """The admin form of a user."""

    open_jobs = forms.ChoiceField(
        choices=CHOICES,
        required=False,
        label="Jobs under way",
        help_text="Asked when a user with open jobs is made inactive.",
    )

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where a user with open jobs is disabled and nothing
        is said of those jobs.
        """
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.is_disabled and not given.get("open_jobs"):
            jobs = list(open_jobs_of(self.instance).values_list("name", flat=True))
            if jobs:
                noun = "job" if len(jobs) == 1 else "jobs"
                self.add_error(
                    "open_jobs",
                    f"{self.instance} has {len(jobs)} open {noun} "
                    f"({', '.join(jobs[:MOST_NAMED])}). Choose whether they go on.",
                )
        return given

    @property
    def is_disabled(self) -> bool:
        """Whether the form makes an active user inactive."""
        return "is_active" in self.changed_data and not self.cleaned_data["is_active"]

    def clean_monthly_budget_usd(self) -> Any:
        """Raises ValidationError for a negative budget; empty means no limit."""
        budget = self.cleaned_data["monthly_budget_usd"]
        if budget is not None and budget < 0:
            raise forms.ValidationError(
                f"Received {budget}; must be at least 0.00 USD per month, or empty "
                "for no limit."
            )
        return budget


@admin.register(User)
class PersonAdmin(BoundedAdmin, UserAdmin):  # type: ignore[type-arg]
    """Users, with their monthly budget.

    Only superusers can grant permissions or edit users who have some (setting their
    password would be a way to gain them). Users are never deleted, because their jobs
    and costs would go with them; inactive users cannot sign in.
    """

    form = PersonForm
    list_display = (
        "username", "email", "monthly_budget_usd", "is_active", "is_staff",
        "last_login",
    )  # fmt: skip
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = "Search in username, e-mail address and name."
    sortable_by = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Spending", {"fields": ("monthly_budget_usd", "this_month")}),
        ("Limits", {"fields": (*QUOTAS, "in_use")}),
        ("Powers", {"fields": ("is_active", "open_jobs", *POWERS)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    get_search_results = UserAdmin.get_search_results

    @admin.display(description="this month")
    def this_month(self, user: User) -> str:
        """Spend and amount reserved for open jobs, next to the budget."""
        month = budget_of(user, user.monthly_budget_usd or Decimal(0))
        return f"{month.spent_usd:.2f} USD spent, {month.held_usd:.2f} reserved"

    @admin.display(description="in use")
    def in_use(self, user: User) -> str:
        """What the user has of each, beside what they may have."""
        found = quotas_of(user) if user.pk else []
        return "; ".join(f"{q.title}: {q.used_words} of {q.limit_words}" for q in found)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        powers = () if _is_superuser(request) else POWERS
        return ("last_login", "date_joined", "this_month", "in_use", *powers)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        within = obj is None or _is_superuser(request) or not _has_powers(obj)
        return within and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        save_user(user=obj, fields=form.changed_data, is_new=not change)
        if change and form.is_disabled and form.cleaned_data["open_jobs"] == CANCEL:
            for job in open_jobs_of(obj):
                cancel_job(job_id=job.pk, by=request.user.get_username())


def open_jobs_of(user: User) -> QuerySet[TrainingJob]:
    """What the user has queued, paused or under way."""
    return TrainingJob.objects.open().filter(user=user)


admin.site.unregister(Group)


@admin.register(Group)
class PowersAdmin(BoundedAdmin, GroupAdmin):
    """Groups give their members powers: who is no superuser may look at most.

    Whoever could change a group could widen their own.
    """

    search_fields = ("name",)
    search_help_text = "By a part of the name."
    get_search_results = GroupAdmin.get_search_results

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _has_powers(user: User) -> bool:
    flagged = user.is_staff or user.is_superuser
    return flagged or user.groups.exists() or user.user_permissions.exists()


def _is_superuser(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_superuser", False))
