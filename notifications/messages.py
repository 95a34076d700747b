"""Every kind of notice: its words, its weight, and where it goes unless chosen.

A row of the database keeps the kind and the values beside the words that were made of
them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOW, MEDIUM, HIGH = "low", "medium", "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of notice.

    `label` names it among the preferences, `title` and `message` are what is told, with
    `{names}` that the values fill. `by_email` and `by_webhook` hold until the user
    chooses otherwise.
    """

    label: str
    title: str
    message: str
    priority: str = MEDIUM
    by_email: bool = False
    by_webhook: bool = True

    def filled(self, values: Mapping[str, Any]) -> str:
        """The message in words. Raises KeyError for a value that is missing."""
        return self.message.format_map(values)


KINDS: dict[str, Kind] = {
    "job_queued": Kind(
        label="A job was queued",
        title="Training Job Queued",
        message="{job_name} waits for a machine: {gpu_count} x {gpu_type}.",
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
        label="A job has spent 80 % of its cap",
        title="80 % of a Job's Cap Spent",
        message="{job_name}: {words}",
        by_email=True,
    ),
    "budget_100": Kind(
        label="A job reached its cap",
        title="A Job Reached Its Cap",
        message="{job_name}: {words}",
        priority=HIGH,
        by_email=True,
    ),
    "month_80": Kind(
        label="80 % of the month's budget are spent",
        title="80 % of the Month's Budget Spent",
        message="{spent_usd} of {budget_usd} USD are spent this month.",
        by_email=True,
    ),
    "month_100": Kind(
        label="The month's budget is spent",
        title="The Month's Budget Is Spent",
        message="{spent_usd} of {budget_usd} USD are spent this month: no job that "
        "costs money is accepted until the next one, or until an operator raises the "
        "budget.",
        priority=HIGH,
        by_email=True,
    ),
    "dataset_ready": Kind(
        label="A dataset is ready",
        title="Dataset Ready",
        message="{dataset_name} can be trained on: {words}",
        priority=LOW,
    ),
    "dataset_error": Kind(
        label="A dataset has errors",
        title="Dataset Has Errors",
        message="{dataset_name} cannot be used: {words}",
        priority=HIGH,
    ),
    "webhook_resting": Kind(
        label="A webhook rests",
        title="A Webhook Rests",
        message="{host} failed {failures} times in a row, lastly: {words} Nothing is "
        "sent there until you wake it where your webhooks are.",
        priority=HIGH,
        by_email=True,
    ),
    "confirm_address": Kind(
        label="An address is to be confirmed",
        title="Confirm Your E-mail Address",
        message="Somebody wants notices of LoRA Pipeline sent to this address. If that "
        "was you, open the link while you are signed in; it works for a day. If it was "
        "not, do nothing.",
        priority=LOW,
    ),
    "test": Kind(
        label="A test",
        title="Test Notice",
        message="This is how notices of LoRA Pipeline arrive here.",
        priority=LOW,
    ),
}
ASKED_FOR = ("test", "confirm_address")
"""Sent because its user asked for this one, and a few an hour at most."""
CHOSEN = tuple(name for name in KINDS if name not in ASKED_FOR)
"""The kinds that a user chooses channels for."""
