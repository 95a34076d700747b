"""Users, API keys and sessions."""

import uuid
from importlib import import_module
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

DEFAULT_QUOTA = "Empty: the console's default."


class User(AbstractUser):
    """A user; everything they create carries their id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    monthly_budget_usd = models.DecimalField(
        "monthly budget in USD",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Empty: no limit. Includes the amount reserved for open jobs.",
    )
    quota_storage_bytes = models.PositiveBigIntegerField(
        "storage in bytes", null=True, blank=True, help_text=DEFAULT_QUOTA
    )
    quota_queued_jobs = models.PositiveIntegerField(
        "queued jobs", null=True, blank=True, help_text=DEFAULT_QUOTA
    )
    quota_api_keys = models.PositiveIntegerField(
        "API keys", null=True, blank=True, help_text=DEFAULT_QUOTA
    )
    quota_webhooks = models.PositiveIntegerField(
        "webhooks", null=True, blank=True, help_text=DEFAULT_QUOTA
    )


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Queries for API keys."""

    def visible_to(self, user: User) -> "ApiKeyQuerySet":
        return self.filter(user=user)

    def usable(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None, user__is_active=True)


class ApiKey(models.Model):
    """A secret for `Authorization: Bearer …`; only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read only"
        WRITE = "write", "Read and write"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.WRITE)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: valid until revoked."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="api_key_has_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def may_write(self) -> bool:
        return self.scope == self.Scope.WRITE

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class BrowserSessionQuerySet(models.QuerySet["BrowserSession"]):
    """Queries for sessions."""

    def visible_to(self, user: User) -> "BrowserSessionQuerySet":
        return self.filter(user_id=user.pk, expire_date__gt=timezone.now())


class BrowserSession(AbstractBaseSession):
    """Somebody signed in somewhere. The cookie holds its key, this table the key's
    SHA-256: who reads the table, or a backup of it, is not signed in by it.

    The user's id is not a foreign key: sessions are looked up before sign-in.
    """

    session_key = models.CharField(
        "SHA-256 of the key", max_length=64, primary_key=True, editable=False
    )

    user_id = models.UUIDField(null=True, db_index=True, editable=False)
    address = models.GenericIPAddressField(null=True, editable=False)
    user_agent = models.CharField(max_length=300, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BaseSessionManager.from_queryset(BrowserSessionQuerySet)()  # type: ignore[misc]

    class Meta:
        db_table = "browser_sessions"
        ordering = ["-last_seen_at"]
        verbose_name = "session"

    @classmethod
    def get_session_store_class(cls) -> type:
        """The engine's own store class, imported late to keep the import order."""
        engine = import_module(settings.SESSION_ENGINE)
        return cast(type, engine.SessionStore)

    @property
    def handle(self) -> str:
        """Names the session in an address."""
        return self.session_key[:32]


class TaskDeath(models.Model):
    """How often the worker of a task died while it was at it; the key is the task's."""

    job_id = models.BigIntegerField(primary_key=True)
    count = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "task_deaths"

    def __str__(self) -> str:
        return f"{self.count} times at task {self.job_id}"
