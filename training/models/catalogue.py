"""GPU types, the machines that offer them, and base models."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef

from training.domain.catalogue import gpus
from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.gpus import CPU
from training.domain.estimator import fitted
from training.domain.limits import GPU_COUNT
from training.models.permissions import FLEET_PERMISSIONS


class GpuTypeQuerySet(models.QuerySet["GpuType"]):
    """Queries for GPU types."""

    def enabled(self) -> "GpuTypeQuerySet":
        return self.filter(enabled=True)

    def with_connection(self) -> "GpuTypeQuerySet":
        """Adds `connected`: whether a backend offers it. Connected, fast ones first."""
        offers = GpuOffer.objects.filter(gpu_type=OuterRef("pk"))
        known = self.annotate(connected=Exists(offers))
        by_speed = F("tokens_per_second").desc()
        return known.order_by("-connected", by_speed, "name")


class GpuType(models.Model):
    """A GPU type: price, nominal speed, memory."""

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
        null=True, blank=True, help_text="What a program can actually allocate."
    )
    evidence = models.CharField(
        max_length=10,
        default=gpus.NO_EVIDENCE,
        choices=[
            (gpus.MEASURED, "Measured runs"),
            (gpus.SIMILAR, "Measured on similar hardware"),
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
        """A suggested type can only be enabled with a price."""
        if self.enabled and self.suggested_usd_per_hour and not self.usd_per_hour:
            words = (
                "Received 0.00 USD per hour. Set a price before enabling this type. "
                f"Suggested: {self.suggested_usd_per_hour} ({self.suggestion_note})."
            )
            raise ValidationError({"usd_per_hour": words})

    @property
    def hardware(self) -> gpus.Hardware | None:
        """Its specifications as estimator input, or None if not entered."""
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
    """GPUs of a type offered by a backend, which makes the type connected."""

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
        """Device ids for CUDA_VISIBLE_DEVICES; slots for a CPU."""
        prefix = "cpu-" if self.gpu_type_id == CPU else ""
        plain = [f"{prefix}{n}" for n in range(self.count)]
        return [str(device) for device in self.devices] or plain


def check_dimensions(value: object) -> None:
    """Raises ValidationError unless it is a valid Architecture or {}."""
    try:
        if value:
            Architecture(**value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValidationError(f"Invalid dimensions: {error}") from None


class BaseModelQuerySet(models.QuerySet["BaseModel"]):
    """Queries for base models."""

    def enabled(self) -> "BaseModelQuerySet":
        return self.filter(enabled=True)


class BaseModel(models.Model):
    """A model whose weights stay frozen: a Hugging Face id or a local folder."""

    class Source(models.TextChoices):
        HUB = "hub", "Hugging Face"
        FOLDER = "folder", "Folder"

    id = models.CharField(primary_key=True, max_length=200)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=10, choices=Source, default=Source.HUB)
    path = models.CharField(max_length=500, blank=True)
    revision = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    model_type = models.CharField(
        max_length=50,
        blank=True,
        help_text="As in its config.json, such as llama. Decides whether it can pack.",
    )
    note = models.TextField(blank=True)
    parameters = models.BigIntegerField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    dimensions = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_dimensions],
        help_text="Layers, widths and vocabulary, as set by add_base_model.",
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
        """Its dimensions, or None if not entered."""
        return Architecture(**self.dimensions) if self.dimensions else None

    @property
    def folder(self) -> Path | None:
        """Where its files are: below MODELS_DIR, which moves with the console, unless
        the path is absolute. None for a model of the hub.
        """
        return Path(settings.MODELS_DIR) / self.path if self.path else None

    @staticmethod
    def path_of(folder: Path) -> str:
        """The path to keep of a folder: relative to MODELS_DIR if it is below it."""
        models_dir = Path(settings.MODELS_DIR).resolve()
        whole = folder.resolve()
        below = whole.is_relative_to(models_dir) and whole != models_dir
        return str(whole.relative_to(models_dir) if below else whole)

    @property
    def is_here(self) -> bool:
        """Whether its weights are on this machine."""
        return bool(self.path) or self.fetched_at is not None
