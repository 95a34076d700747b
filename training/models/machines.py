"""The machines that carry runs out: when each was last seen, and whether it drains."""

from django.db import models


class Machine(models.Model):
    """A backend whose reconciler starts runs; holds nothing of anybody.

    `seen_at` is written by the reconciler while it works. With `draining_since` set it
    starts nothing new, and what runs goes on to its end.
    """

    name = models.CharField(primary_key=True, max_length=50)
    hostname = models.CharField(max_length=255, blank=True)
    seen_at = models.DateTimeField(null=True, editable=False)
    draining_since = models.DateTimeField(null=True, blank=True, editable=False)
    drained_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        db_table = "machines"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draining(self) -> bool:
        return self.draining_since is not None
