"""`manage.py check --database default`: checks roles, policies and pooling.

`migrate` runs it too, before any change. So policies are checked only when no migration
is pending, because a pending one may add them.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from lora_pipeline.postgres import versions
from lora_pipeline.postgres.backend import pooling
from lora_pipeline.postgres.policies import missing_policies, wrong_roles

ROLES_HINT = (
    "As superuser, once per server: psql -v login=THE_LOGIN_ROLE -f "
    "lora_pipeline/deploy/roles.sql (README, Settings)."
)
POOLED = (
    "A setting of this connection did not survive: a pooler in front of PostgreSQL "
    "gives every transaction another connection, and row-level security would show "
    "empty lists and refuse valid keys."
)
POOLED_HINT = (
    "Set pool_mode = session in pgbouncer (for this database: pool_mode=session after "
    "its dbname), or name PostgreSQL itself in DATABASE_URL."
)
POLICY_HINT = (
    "Add a migration with row_security.owner_policies(…) or child_policies(…), "
    "or explain in policies.NOBODYS why the table needs none."
)


@register(Tags.database)
def check_row_security(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Errors for missing roles and policies; none if no database is checked."""
    if "default" not in (databases or ()):
        return []
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return [_unreachable(error)]
    if not settings.DATABASE_EMBEDDED and pooling.loses_settings():
        return [Error(POOLED, hint=POOLED_HINT, id="lora_pipeline.E004")]
    if newer := versions.newer():
        return [Error(versions.words_of(newer), id="lora_pipeline.E005")]
    found: list[CheckMessage] = [
        Error(words, hint=ROLES_HINT, id="lora_pipeline.E001")
        for words in wrong_roles()
    ]
    if not found and not _migrations_are_due():
        found += [
            Error(words, hint=POLICY_HINT, id="lora_pipeline.E002")
            for words in missing_policies()
        ]
    return found


def _unreachable(error: DatabaseError) -> CheckMessage:
    first = str(error).strip().splitlines()[-1].strip()
    words = f"The database cannot be used: {first}"
    hint = (
        ROLES_HINT if "role" in first else "Is it running, and is DATABASE_URL right?"
    )
    return Error(words, hint=hint, id="lora_pipeline.E003")


def _migrations_are_due() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
