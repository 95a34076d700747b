"""What a GPU type cost, and from when on."""

from django.db import models


class GpuPrice(models.Model):
    """One change of a GPU type's price; written once, by the service that makes it.

    Jobs froze theirs when they were created: a change is of what comes after it.
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
