"""Price history of GPU types."""

from django.db import models


class GpuPrice(models.Model):
    """One price change of a GPU type; written once, by the service that makes it.

    Jobs freeze their price at creation, so a change affects only later jobs.
    """

    gpu_type = models.ForeignKey(
        "training.GpuType", on_delete=models.PROTECT, related_name="prices"
    )
    at = models.DateTimeField()
    from_usd = models.DecimalField(
        "from, USD per hour", max_digits=10, decimal_places=2, null=True
    )
    to_usd = models.DecimalField("to, USD per hour", max_digits=10, decimal_places=2)
    by = models.CharField(max_length=150)

    class Meta:
        db_table = "gpu_prices"
        ordering = ["-id"]
        verbose_name = "GPU price"

    def __str__(self) -> str:
        return f"{self.to_usd} USD per hour from {self.at:%Y-%m-%d %H:%M}"
