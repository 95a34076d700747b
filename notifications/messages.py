"""Every kind of notification: its text, priority and default channels.

A database row keeps the kind and the values next to the text rendered from them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOW, MEDIUM, HIGH = "low", "medium", "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of notification.

    `label` names it in the preferences. `title` and `message` are the text; the values
    fill the `{placeholders}`. `by_email` and `by_webhook` are the defaults until the
    user changes them.
    """

    label: str
    title: str
    message: str
    priority: str = MEDIUM
    by_email: bool = False
    by_webhook: bool = True

    def filled(self, values: Mapping[str, Any]) -> str:
        """The rendered message. Raises KeyError for a missing value."""
        return self.message.format_map(values)


KINDS: dict[str, Kind] = {
    "job_queued": Kind(
        label="A job was queued",
        title="Training Job Queued",
        message="{job_name} is waiting for a machine: {gpu_count} x {gpu_type}.",
        priority=LOW,
        by_webhook=False,
    ),
    "job_started": Kind(
        label="A job started",
        title="Training Started",
        message="{job_name}: {words}",
        priority=LOW,
    ),
    "job_completed": Kind(
        label="A job completed",
        title="Training Completed",
        message="{job_name}: {words}",
        by_email=True,
    ),
    "job_failed": Kind(
        label="A job failed",
        title="Training Failed",
        message="{job_name}: {words}",
        priority=HIGH,
        by_email=True,
    ),
    "job_cancelled": Kind(
        label="A job was cancelled",
        title="Training Cancelled",
        message="{job_name}: {words}",
        priority=LOW,
    ),
    "job_paused": Kind(
        label="A job was paused",
        title="Training Paused",
        message="{job_name}: {words}",
        by_email=True,
    ),
    "budget_80": Kind(
        label="A job has used 80 % of its cost cap",
        title="Job at 80 % of Its Cost Cap",
        message="{job_name}: {words}",
        by_email=True,
    ),
    "budget_100": Kind(
        label="A job reached its cost cap",
        title="Job Reached Its Cost Cap",
        message="{job_name}: {words}",
        priority=HIGH,
        by_email=True,
    ),
    "month_80": Kind(
        label="80 % of this month's budget is used",
        title="80 % of Your Monthly Budget Used",
        message="You have used 80 % of this month's budget: "
        "{spent_usd} of {budget_usd} USD.",
        by_email=True,
    ),
    "month_100": Kind(
        label="This month's budget is used up",
        title="Monthly Budget Used Up",
        message="You have used {spent_usd} of {budget_usd} USD this month. No job that "
        "costs money is accepted until next month, or until an operator raises the "
        "budget.",
        priority=HIGH,
        by_email=True,
    ),
    "dataset_ready": Kind(
        label="A dataset is ready",
        title="Dataset Ready",
        message="{dataset_name} is ready to train on: {words}",
        priority=LOW,
    ),
    "dataset_error": Kind(
        label="A dataset has errors",
        title="Dataset Has Errors",
        message="{dataset_name} cannot be used: {words}",
        priority=HIGH,
    ),
    "webhook_resting": Kind(
        label="A webhook was paused",
        title="Webhook Paused",
        message="{host} failed {failures} times in a row, most recently: {words} "
        "Nothing is sent there until you resume it in the notification settings.",
        priority=HIGH,
        by_email=True,
    ),
    "confirm_address": Kind(
        label="An address needs confirming",
        title="Confirm Your E-mail Address",
        message="Somebody asked LoRA Pipeline to send notifications to this address. "
        "If that was you, open the link while signed in; it is valid for a day. "
        "Otherwise ignore this message.",
        priority=LOW,
    ),
    "test": Kind(
        label="A test",
        title="Test Notification",
        message="This is a test. Notifications from LoRA Pipeline will arrive here.",
        priority=LOW,
    ),
}
ASKED_FOR = ("test", "confirm_address")
"""Sent on request, and only a few per hour."""
CHOSEN = tuple(name for name in KINDS if name not in ASKED_FOR)
"""The kinds whose channels a user can choose."""
