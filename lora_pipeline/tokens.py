"""Prefixes of secrets, and the hash they are stored under."""

import hashlib

KEY_START = "lp_"


RUN_TOKEN_START = "run_"  # noqa: S105 - how one begins, not one itself


def hash_secret(secret: str) -> str:
    """SHA-256 in hex; enough for secrets of 160 random bits and more."""
    return hashlib.sha256(secret.encode()).hexdigest()
