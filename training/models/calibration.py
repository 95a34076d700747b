"""Calibration data from finished runs: records, cells and scores."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from training.domain.estimator.calibration import Cell


class CalibrationRecord(models.Model):
    """One finished run or probe point: predicted and measured values.

    Written once and never changed. `setup` holds what the prediction depends on,
    `measured` what the trainer reported, `predicted` the estimate before the run.
    Residuals are ln(measured / uncalibrated prediction), None where either is
    missing.
    """

    class Kind(models.TextChoices):
        RUN = "run"
        PROBE = "probe"

    class Outcome(models.TextChoices):
        COMPLETED = "completed", "Completed"
        OUT_OF_MEMORY = "out_of_memory", "Out of memory"

    job = models.OneToOneField(
        "training.TrainingJob",
        null=True,
        on_delete=models.CASCADE,
        related_name="calibration_record",
    )
    kind = models.CharField(max_length=10, choices=Kind)
    outcome = models.CharField(max_length=20, choices=Outcome)
    gpu_type = models.CharField(max_length=50)
    method = models.CharField(max_length=10)
    base_model = models.CharField(max_length=200)
    setup = models.JSONField()
    measured = models.JSONField()
    predicted = models.JSONField()
    time_residual = models.FloatField(null=True)
    memory_residual = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "calibration_records"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.base_model} on {self.gpu_type}"


class CalibrationCell(models.Model):
    """Sufficient statistics of the residuals of similar runs; no user data."""

    target = models.CharField(max_length=20)
    key = ArrayField(models.CharField(max_length=200))
    count = models.PositiveIntegerField()
    total = models.FloatField()
    squares = models.FloatField()

    class Meta:
        db_table = "calibration_cells"
        ordering = ["target", "key"]
        constraints = [
            models.UniqueConstraint(fields=["target", "key"], name="one_cell_a_key")
        ]

    def __str__(self) -> str:
        return f"{self.target}: {' / '.join(self.key)}"

    @property
    def cell(self) -> Cell:
        """The row as estimator input."""
        return Cell(
            key=tuple(self.key),
            count=self.count,
            total=self.total,
            squares=self.squares,
        )


class CalibrationScore(models.Model):
    """How far an estimate was off, in its own standard deviations; no user data.

    `inside`: whether the actual value was inside the 80 % interval shown.
    """

    target = models.CharField(max_length=20)
    score = models.FloatField()
    inside = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "calibration_scores"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.target}: {self.score:.2f}"
