"""Idempotency keys: create a job once, however often the request arrives."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import status

from lora_pipeline.errors import Refusal
from lora_pipeline.models import User
from lora_pipeline.operations.retention import Freed
from training.models import IdempotencyKey, TrainingJob

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A caller's key and the SHA-256 of the request body."""

    key: str
    body_sha256: str


def claim_of(header: str | None, body: Any) -> Claim | None:
    """The claim of a request, or None. Raises Refusal for an invalid key."""
    if header is None:
        return None
    if not (header.isascii() and header.isprintable() and 0 < len(header) <= LONGEST):
        words = f"Use 1 to {LONGEST} printable ASCII characters, for example a UUID."
        raise Refusal(
            f"The header {HEADER} is invalid: see details.",
            code="invalid",
            details={HEADER: [words]},
        )
    return Claim(key=header, body_sha256=body_sha256(body))


def body_sha256(body: Any) -> str:
    """SHA-256 of a body, independent of key order."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def earlier_job(*, owner: User, claim: Claim) -> TrainingJob | None:
    """The job this key already created; Refusal (409) if the body differs."""
    fresh = IdempotencyKey.objects.filter(created_at__gt=timezone.now() - KEPT)
    row = fresh.filter(user=owner, key=claim.key).first()
    return None if row is None else _job_of(row, claim)


def take(*, owner: User, claim: Claim) -> TrainingJob | None:
    """Claim the key in the creating transaction, or get the job it already created.

    A second request with the same key waits on the unique index until the first has
    committed, then finds its job, or takes the key if the first failed.
    """
    own = IdempotencyKey.objects.filter(user=owner, key=claim.key)
    own.filter(created_at__lte=timezone.now() - KEPT).delete()
    row, is_new = IdempotencyKey.objects.get_or_create(
        user=owner, key=claim.key, defaults={"body_sha256": claim.body_sha256}
    )
    return None if is_new else _job_of(row, claim)


def settle(*, owner: User, claim: Claim, job: TrainingJob) -> None:
    """Record which job the key created."""
    IdempotencyKey.objects.filter(user=owner, key=claim.key).update(job=job)


def _job_of(row: IdempotencyKey, claim: Claim) -> TrainingJob | None:
    if row.body_sha256 != claim.body_sha256:
        raise Refusal(
            f"The {HEADER} {claim.key!r} was already used with another body. "
            "Use a new key for a new job.",
            status_code=status.HTTP_409_CONFLICT,
            code="idempotency_key_reused",
        )
    return row.job


def remove_keys(before: datetime, *, dry_run: bool) -> Freed:
    """Expired idempotency keys."""
    old = IdempotencyKey.objects.filter(created_at__lt=before)
    freed = Freed("idempotency keys", old.count())
    if not dry_run:
        old.delete()
    return freed
