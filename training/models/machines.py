"""Machines that execute runs: last heartbeat, and whether they are draining."""

from django.db import models


class Machine(models.Model):
    """A backend whose reconciler starts runs; no user data.

    `seen_at` is written by the reconciler while it works. With `draining_since` set it
    starts nothing new, and running jobs finish.
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
