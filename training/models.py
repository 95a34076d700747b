"""Training jobs, the runs that carry them out, and what the runs report."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from datasets.models import Dataset
from training.calibration_models import (
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
)
from training.domain import fitted, gpus, lifecycle, schedule
from training.domain.architecture import Architecture
from training.domain.catalogue import CPU
from training.domain.limits import GPU_COUNT
from training.machine_models import Machine
from training.operator_permissions import FLEET_PERMISSIONS, JOB_PERMISSIONS
from training.price_models import GpuPrice
from training.querysets import (
    AdapterQuerySet,
    BaseModelQuerySet,
    CheckpointQuerySet,
    GpuTypeQuerySet,
    RunAttemptQuerySet,
    TrainingJobQuerySet,
)

__all__ = [
    "CalibrationCell",
    "CalibrationRecord",
    "CalibrationScore",
    "GpuPrice",
    "Machine",
]

NAME_LENGTH = 200
BY_LENGTH = 50


def choices(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Django choices that show a word with its underscores as spaces."""
    return [(word, word.replace("_", " ").capitalize()) for word in words]


JOB_STATUSES = choices(lifecycle.STATUSES)


class GpuType(models.Model):
    """A row of the catalogue: price, nominal speed, memory."""

    name = models.CharField(primary_key=True, max_length=50)
    usd_per_hour = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(0)]
    )
    tokens_per_second = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    speed_measured = models.BooleanField(default=True)
    memory_gb = models.PositiveIntegerField(null=True, blank=True)
    description = models.CharField(max_length=200, blank=True)
    max_count = models.PositiveSmallIntegerField(
        default=8,
        validators=[
            MinValueValidator(int(GPU_COUNT.minimum)),
            MaxValueValidator(int(GPU_COUNT.maximum)),
        ],
    )
    storage_cost = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    family = models.CharField(
        max_length=20, blank=True, choices=[(n, n) for n in fitted.TIME.family]
    )
    peak_tflops = models.JSONField(
        default=dict, blank=True, help_text='By precision: {"bf16": 312, "fp32": 19.5}.'
    )
    bandwidth_gb_per_second = models.FloatField(null=True, blank=True)
    link_gb_per_second = models.FloatField(null=True, blank=True)
    capacity_gib = models.FloatField(
        null=True, blank=True, help_text="What a program can really allocate."
    )
    evidence = models.CharField(
        max_length=10,
        default=gpus.NO_EVIDENCE,
        choices=[
            (gpus.MEASURED, "Measured runs"),
            (gpus.SIMILAR, "Measured on a similar one"),
            (gpus.NO_EVIDENCE, "No evidence"),
        ],
    )
    evidence_note = models.CharField(max_length=200, blank=True)
    suggested_usd_per_hour = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True
    )
    suggestion_note = models.CharField(max_length=200, blank=True)

    objects = GpuTypeQuerySet.as_manager()

    class Meta:
        db_table = "gpu_types"
        verbose_name = "GPU type"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A type that was only suggested is offered at a price somebody has set."""
        if self.enabled and self.suggested_usd_per_hour and not self.usd_per_hour:
            words = (
                "Received 0.00 USD per hour; set a price before enabling the type. "
                f"Suggested: {self.suggested_usd_per_hour} ({self.suggestion_note})."
            )
            raise ValidationError({"usd_per_hour": words})

    @property
    def hardware(self) -> gpus.Hardware | None:
        """Its facts as the estimator takes them; None while they are not entered."""
        if not (self.family and self.peak_tflops and self.bandwidth_gb_per_second):
            return None
        return gpus.Hardware(
            name=self.name,
            family=self.family,
            peak_flops={n: float(v) * 1e12 for n, v in self.peak_tflops.items()},
            bandwidth=self.bandwidth_gb_per_second * 1e9,
            capacity_gib=self.capacity_gib,
            link=(self.link_gb_per_second or self.bandwidth_gb_per_second) * 1e9,
            evidence=self.evidence,
            note=self.evidence_note,
        )

    @property
    def is_cpu(self) -> bool:
        return self.name == CPU


class GpuOffer(models.Model):
    """So many GPUs of a type that a backend offers; the type is then connected."""

    backend = models.CharField(max_length=50)
    gpu_type = models.ForeignKey(
        GpuType, on_delete=models.CASCADE, related_name="offers"
    )
    count = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    devices = models.JSONField(default=list, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "gpu_offers"
        verbose_name = "GPU offer"
        permissions = FLEET_PERMISSIONS
        constraints = [
            models.UniqueConstraint(fields=["backend", "gpu_type"], name="one_offer")
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.gpu_type_id} on {self.backend}"

    @property
    def device_ids(self) -> list[str]:
        """What CUDA_VISIBLE_DEVICES calls each of them; slots of a processor."""
        prefix = "cpu-" if self.gpu_type_id == CPU else ""
        plain = [f"{prefix}{n}" for n in range(self.count)]
        return [str(device) for device in self.devices] or plain


def check_dimensions(value: object) -> None:
    """Raises ValidationError unless an Architecture can be made of it, or it is {}."""
    try:
        if value:
            Architecture(**value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValidationError(f"These are no dimensions: {error}") from None


class BaseModel(models.Model):
    """A model whose weights stay frozen: a Hugging Face id, or a folder here."""

    class Source(models.TextChoices):
        HUB = "hub", "Hugging Face"
        FOLDER = "folder", "Folder"

    id = models.CharField(primary_key=True, max_length=200)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=10, choices=Source, default=Source.HUB)
    path = models.CharField(max_length=500, blank=True)
    revision = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True)
    parameters = models.BigIntegerField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    dimensions = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_dimensions],
        help_text="Layers, widths and vocabulary, as add_base_model enters them.",
    )
    dimensions_source = models.CharField(max_length=300, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = BaseModelQuerySet.as_manager()

    class Meta:
        db_table = "base_models"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def architecture(self) -> Architecture | None:
        """Its dimensions; None while nobody entered them."""
        return Architecture(**self.dimensions) if self.dimensions else None

    @property
    def is_here(self) -> bool:
        """Whether its weights need not be fetched first."""
        return bool(self.path) or self.fetched_at is not None


class TrainingJob(models.Model):
    """What a user asked for; carried out by one run attempt after another."""

    class Priority(models.IntegerChoices):
        LOW = 1
        NORMAL = 2
        HIGH = 3

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs"
    )
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="jobs")
    name = models.CharField(max_length=NAME_LENGTH)
    preset_id = models.CharField(max_length=20)
    base_model = models.ForeignKey(BaseModel, on_delete=models.PROTECT)
    hyperparameters = models.JSONField()
    gpu_config = models.JSONField()
    seed = models.PositiveIntegerField(default=42)
    priority = models.PositiveSmallIntegerField(
        choices=Priority, default=Priority.NORMAL
    )
    status = models.CharField(
        max_length=20, choices=JOB_STATUSES, default=lifecycle.QUEUED
    )
    current_stage = models.CharField(
        max_length=20, choices=choices(lifecycle.STAGES), default="queued"
    )
    status_note = models.CharField(max_length=300, blank=True)
    queue_position = models.PositiveIntegerField(null=True)
    expected_start_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    pause_requested_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(
        max_length=10, blank=True, choices=choices(lifecycle.PAUSE_REASONS)
    )
    progress = models.FloatField(default=0)
    current_epoch = models.FloatField(default=0)
    total_epochs = models.PositiveIntegerField()
    current_step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField()
    current_metrics = models.JSONField(default=dict)
    loss_warning = models.CharField(max_length=300, blank=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    estimated_completion_at = models.DateTimeField(null=True)
    usd_per_gpu_hour = models.DecimalField(max_digits=10, decimal_places=2)
    storage_usd = models.DecimalField(max_digits=10, decimal_places=2)
    running_seconds = models.FloatField(default=0)
    current_cost = models.DecimalField(
        max_digits=12, decimal_places=4, default=Decimal(0)
    )
    estimated_total_cost = models.DecimalField(max_digits=12, decimal_places=4)
    estimated_hours = models.FloatField()
    estimated_high_cost = models.DecimalField(
        max_digits=12, decimal_places=4, null=True
    )
    plan = models.JSONField(null=True)
    estimate = models.JSONField(null=True)
    remaining = models.JSONField(null=True)
    quoted_cost = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    max_cost = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    final_cost = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    budget_noticed_percent = models.PositiveSmallIntegerField(default=0)
    error_message = models.TextField(blank=True)
    error_stack = models.TextField(blank=True)
    failure_kind = models.CharField(max_length=30, blank=True)
    suggestion = models.JSONField(null=True)
    continued_from = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="continuations"
    )
    start_step = models.PositiveIntegerField(default=0)
    retry_count = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    external_job_id = models.CharField(max_length=200, blank=True)
    artifact = models.ForeignKey(
        "Adapter", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    hidden_at = models.DateTimeField(null=True)

    objects = TrainingJobQuerySet.as_manager()

    class Meta:
        db_table = "training_jobs"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["user", "-created_at", "-id"],
                condition=Q(hidden_at=None),
                name="jobs_list",
            ),
            models.Index(
                fields=["status", "-priority", "queued_at"],
                condition=~Q(status__in=sorted(lifecycle.FINAL)),
                name="jobs_open",
            ),
            # For operators: everybody's jobs, by state, by name, what failed lately.
            models.Index(fields=["-created_at", "-id"], name="jobs_newest"),
            models.Index(
                fields=["status", "-created_at", "-id"], name="jobs_by_status"
            ),
            models.Index(
                OpClass(Upper("name"), "text_pattern_ops"), name="jobs_by_name"
            ),
            models.Index(
                fields=["completed_at", "failure_kind"],
                condition=Q(status=lifecycle.FAILED),
                name="jobs_failed",
            ),
        ]
        permissions = JOB_PERMISSIONS
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=lifecycle.STATUSES), name="job_status_known"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/training/jobs/{self.pk}"

    @property
    def is_final(self) -> bool:
        return self.status in lifecycle.FINAL

    @property
    def is_active(self) -> bool:
        """A run is under way or being started."""
        return self.status in lifecycle.ACTIVE

    @property
    def is_cancelling(self) -> bool:
        return self.cancel_requested_at is not None and not self.is_final

    @property
    def is_pausing(self) -> bool:
        return self.pause_requested_at is not None and self.is_active

    @property
    def stop_reason(self) -> str:
        """Why its trainer is to stop after the step; empty while it is not."""
        if self.is_cancelling:
            return "cancel"
        return "pause" if self.pause_requested_at is not None else ""

    @property
    def gpu_type(self) -> str:
        return str(self.gpu_config["type"])

    @property
    def gpu_count(self) -> int:
        return int(self.gpu_config["count"])

    @property
    def process_count(self) -> int:
        """Processes of its runs, by the largest divisor of the batch that fits."""
        batch = int(self.hyperparameters["batch_size"])
        return schedule.process_count(batch_size=batch, gpu_count=self.gpu_count)

    @property
    def percent(self) -> int:
        """Progress for people: 0 to 100, never 100 before the end."""
        return int(self.progress * 100) if self.progress < 1 else 100


class IdempotencyKey(models.Model):
    """A caller's name for one creation, so that sending it again creates nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    job = models.ForeignKey(TrainingJob, null=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_job_a_key")
        ]

    def __str__(self) -> str:
        return self.key


class RunAttempt(models.Model):
    """One start of the trainer for a job; only the newest one is listened to."""

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
    """A device in use by an attempt, until its process is gone; never by two."""

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


class MetricPoint(models.Model):
    """What one optimizer step (or the evaluation after it) measured."""

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

    class Meta:
        db_table = "metric_points"
        ordering = ["job", "step"]
        constraints = [
            models.UniqueConstraint(fields=["job", "step"], name="one_point_a_step")
        ]

    def __str__(self) -> str:
        return f"step {self.step} of {self.job_id}"


class JobEvent(models.Model):
    """A line of a job's history: a change of state, or something the trainer said."""

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


class Checkpoint(models.Model):
    """A state in the run folder that training can go on from."""

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


class Adapter(models.Model):
    """The trained LoRA weights of a job, as an archive in the storage.

    A deleted one keeps its row, so that no later one gets its version; its files go.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="adapters"
    )
    job = models.OneToOneField(
        TrainingJob, on_delete=models.CASCADE, related_name="adapter"
    )
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    lineage = models.JSONField(default=dict)
    training_loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    best_validation_loss = models.FloatField(null=True)
    storage_path = models.CharField(max_length=500)
    size_bytes = models.BigIntegerField()
    archive_sha256 = models.CharField(max_length=64)
    adapter_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    objects = AdapterQuerySet.as_manager()

    class Meta:
        db_table = "adapters"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="adapters_list"),
            models.Index(fields=["-created_at", "-id"], name="adapters_newest"),
            models.Index(
                OpClass(Upper("name"), "text_pattern_ops"), name="adapters_by_name"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name", "version"], name="adapter_versioned"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def get_absolute_url(self) -> str:
        return f"/adapters/{self.pk}"


class CostRecord(models.Model):
    """What a job cost in the end; written once, never changed."""

    job = models.OneToOneField(
        TrainingJob, on_delete=models.CASCADE, related_name="cost_record"
    )
    running_seconds = models.FloatField()
    compute_usd = models.DecimalField(max_digits=12, decimal_places=4)
    storage_usd = models.DecimalField(max_digits=12, decimal_places=4)
    total_usd = models.DecimalField(max_digits=12, decimal_places=4)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "cost_records"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="costs_by_age")]

    def __str__(self) -> str:
        return f"{self.total_usd} USD for {self.job_id}"


class Work(models.TextChoices):
    """How far something is that the worker has a trainer do."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class AdapterExport(models.Model):
    """An adapter merged into its base model: a normal model folder, as an archive."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    adapter = models.OneToOneField(
        Adapter, on_delete=models.CASCADE, related_name="export"
    )
    status = models.CharField(max_length=10, choices=Work, default=Work.WAITING)
    stage = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True)
    storage_path = models.CharField(max_length=500, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    archive_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "adapter_exports"

    def __str__(self) -> str:
        return f"export of {self.adapter_id}"

    @property
    def is_settled(self) -> bool:
        return self.status in {Work.DONE, Work.FAILED}


class AdapterQuestion(models.Model):
    """One question asked of the base model and of the adapter, with both answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    adapter = models.ForeignKey(
        Adapter, on_delete=models.CASCADE, related_name="questions"
    )
    system = models.TextField(blank=True)
    question = models.TextField()
    max_new_tokens = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Work, default=Work.WAITING)
    stage = models.CharField(max_length=100, blank=True)
    base_answer = models.TextField(null=True)  # noqa: DJ001 - null: not answered yet
    adapter_answer = models.TextField(null=True)  # noqa: DJ001 - null: not yet
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "adapter_questions"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["adapter", "-created_at"], name="questions_list")
        ]

    def __str__(self) -> str:
        """Names no word of the question: it stands in titles and in logs."""
        return f"question of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_settled(self) -> bool:
        return self.status in {Work.DONE, Work.FAILED}
