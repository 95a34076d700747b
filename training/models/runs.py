"""Run attempts of a job, and what they report."""

import math
import uuid

from django.db import models
from django.db.models import Max, Q

from training.models.jobs import BY_LENGTH, TrainingJob


class RunAttemptQuerySet(models.QuerySet["RunAttempt"]):
    """Queries for run attempts."""

    def open(self) -> "RunAttemptQuerySet":
        return self.filter(ended_at=None)


class RunAttempt(models.Model):
    """One start of the trainer for a job; only the newest one may report."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(
        TrainingJob, on_delete=models.CASCADE, related_name="attempts"
    )
    number = models.PositiveSmallIntegerField()
    backend = models.CharField(max_length=50, default="local")
    token_hash = models.CharField(max_length=64, unique=True)
    launched_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    last_event_at = models.DateTimeField(null=True)
    last_progress_at = models.DateTimeField(null=True)
    last_sequence = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    failure_kind = models.CharField(max_length=30, blank=True)
    error_message = models.TextField(blank=True)
    error_stack = models.TextField(blank=True)
    log_tail = models.TextField(blank=True)
    resumed_from_step = models.PositiveIntegerField(default=0)
    process_count = models.PositiveSmallIntegerField(default=1)
    devices = models.JSONField(default=list)
    running_seconds = models.FloatField(default=0)
    charged = models.BooleanField(default=True)
    step_seconds = models.FloatField(null=True)
    facts = models.JSONField(default=dict)
    clocks = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RunAttemptQuerySet.as_manager()

    class Meta:
        db_table = "run_attempts"
        ordering = ["job", "number"]
        indexes = [
            models.Index(fields=["created_at"], name="attempts_by_age"),
            models.Index(
                fields=["ended_at", "failure_kind"],
                condition=~Q(failure_kind=""),
                name="attempts_failed",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_numbered"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(ended_at=None), name="one_open_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}"


class DeviceClaim(models.Model):
    """A device held by an attempt until its process is gone; never shared."""

    backend = models.CharField(max_length=50)
    device = models.CharField(max_length=100)
    attempt = models.ForeignKey(
        RunAttempt, on_delete=models.CASCADE, related_name="claims"
    )

    class Meta:
        db_table = "device_claims"
        constraints = [
            models.UniqueConstraint(fields=["backend", "device"], name="device_claimed")
        ]

    def __str__(self) -> str:
        return f"{self.device} on {self.backend}"


class MetricPointQuerySet(models.QuerySet["MetricPoint"]):
    """Reads of measured steps."""

    def with_finite(self, name: str) -> "MetricPointQuerySet":
        """Steps that measured a number by that name. NaN is greater than infinity to
        PostgreSQL, and NULL nothing.
        """
        return self.filter(**{f"{name}__gt": -math.inf, f"{name}__lt": math.inf})


class MetricPoint(models.Model):
    """Metrics of one optimizer step, and of the evaluation after it.

    NaN and infinity stand in the float columns as such; NULL is what was not measured.
    """

    job = models.ForeignKey(
        TrainingJob, on_delete=models.CASCADE, related_name="metrics"
    )
    attempt = models.ForeignKey(RunAttempt, on_delete=models.CASCADE)
    step = models.PositiveIntegerField()
    epoch = models.FloatField()
    loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    learning_rate = models.FloatField(null=True)
    grad_norm = models.FloatField(null=True)
    tokens_seen = models.BigIntegerField(null=True)
    tokens_per_second = models.FloatField(null=True)
    step_seconds = models.FloatField(null=True)
    gpu_use = models.FloatField(null=True)
    gpu_memory_bytes = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    objects = MetricPointQuerySet.as_manager()

    class Meta:
        db_table = "metric_points"
        ordering = ["job", "step"]
        constraints = [
            models.UniqueConstraint(fields=["job", "step"], name="one_point_a_step")
        ]

    def __str__(self) -> str:
        return f"step {self.step} of {self.job_id}"


class JobEvent(models.Model):
    """A line of a job's history: a status change or a trainer message."""

    class Kind(models.TextChoices):
        STATUS = "status"
        STAGE = "stage"
        LOG = "log"

    job = models.ForeignKey(
        TrainingJob, on_delete=models.CASCADE, related_name="events"
    )
    attempt = models.ForeignKey(RunAttempt, null=True, on_delete=models.CASCADE)
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind)
    level = models.CharField(max_length=10, default="info")
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20, blank=True)
    by = models.CharField(max_length=BY_LENGTH, blank=True)
    message = models.TextField()

    class Meta:
        db_table = "job_events"
        ordering = ["job", "id"]
        indexes = [models.Index(fields=["job", "id"], name="job_events_list")]

    def __str__(self) -> str:
        return self.message


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Queries for checkpoints."""

    def kept(self) -> "CheckpointQuerySet":
        """Those whose files still exist."""
        return self.filter(freed_at=None)

    def newest_step(self) -> int:
        """The step that a run would resume from; 0 if there is none."""
        return int(self.kept().aggregate(step=Max("step"))["step"] or 0)


class Checkpoint(models.Model):
    """A saved state in the run folder that training can resume from."""

    job = models.ForeignKey(
        TrainingJob, on_delete=models.CASCADE, related_name="checkpoints"
    )
    attempt = models.ForeignKey(RunAttempt, on_delete=models.CASCADE)
    step = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    freed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        db_table = "checkpoints"
        ordering = ["job", "step"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "step"], name="one_checkpoint_a_step"
            )
        ]

    def __str__(self) -> str:
        return self.name
