"""Which conversations are held out for validation."""

import hashlib

SPLIT_SEED = 42
VALIDATION_SHARE = 0.1
SMALLEST_SPLIT = 10


def held_out(identities: list[bytes], *, seed: int = SPLIT_SEED) -> set[int]:
    """Positions of the conversations for validation.

    `identities` are the bytes that make two conversations the same; equal ones fall on
    one side. Orders the distinct ones by SHA-256 of seed and bytes, which no platform
    or library version changes, and takes the first 10 %, at least one from ten on.
    """
    distinct = sorted(set(identities), key=lambda identity: _rank(identity, seed))
    if len(distinct) < SMALLEST_SPLIT:
        return set()
    chosen = set(distinct[: max(1, round(len(distinct) * VALIDATION_SHARE))])
    return {n for n, identity in enumerate(identities) if identity in chosen}


def _rank(identity: bytes, seed: int) -> bytes:
    return hashlib.sha256(b"%d:" % seed + identity).digest()
