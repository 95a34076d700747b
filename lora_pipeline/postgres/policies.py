"""Which tables need an owner policy, and which policies and roles are missing."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from lora_pipeline.models import User

WEB, OPERATOR = "lp_web", "lp_operator"
NOBODYS = {
    "lora_pipeline_user": "sign-in looks up a name before the user is known",
}
ROLES = """
    SELECT rolname, rolsuper OR rolbypassrls,
        pg_has_role(session_user, oid, 'SET'), pg_has_role(session_user, oid, 'USAGE')
    FROM pg_roles WHERE rolname IN (%s, %s)
"""
TABLES = """
    SELECT c.relname, c.relrowsecurity, ARRAY(
        SELECT r.rolname::text FROM pg_policy p
        JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE p.polrelid = c.oid
    ) FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
"""
LENT = "SELECT pg_has_role('lp_web', 'lp_operator', 'MEMBER')"
OWNED_BY_WEB = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tableowner IN (%s, %s) ORDER BY tablename
"""


def tables_of_users() -> dict[str, str]:
    """Tables whose foreign keys lead to a user, with the model's label."""
    known = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    found: set[type[models.Model]] = {User}
    while more := [m for m in known if m not in found and _targets(m) & found]:
        found.update(more)
    named = {m._meta.db_table: m._meta.label for m in found}
    return {table: named[table] for table in sorted(named) if table not in NOBODYS}


def _targets(model: type[models.Model]) -> set[type[models.Model]]:
    return {
        field.related_model
        for field in model._meta.concrete_fields
        if field.is_relation and isinstance(field.related_model, type)
    }


def missing_policies() -> Iterator[str]:
    """One sentence per existing table that is not protected."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        there = {name: (on, set(roles)) for name, on, roles in cursor.fetchall()}
    for table, label in tables_of_users().items():
        on, roles = there.get(table, (True, {WEB, OPERATOR}))
        if not on:
            yield f"{table} ({label}) has no row-level security."
        elif lacking := {WEB, OPERATOR} - roles:
            roles_lacking = " and ".join(sorted(lacking))
            yield f"{table} ({label}) has no policy for {roles_lacking}."


def wrong_roles() -> Iterator[str]:
    """One sentence per role that is missing, unreachable or too powerful.

    Policies do not apply to superusers, roles with BYPASSRLS and table owners.
    """
    with connection.cursor() as cursor:
        cursor.execute(ROLES, [WEB, OPERATOR])
        there = {name: facts for name, *facts in cursor.fetchall()}
        yield from (
            f"The role {r} is missing." for r in (WEB, OPERATOR) if r not in there
        )
        for role, (unbound, settable, inherited) in sorted(there.items()):
            yield from _faults_of(role, unbound, settable, inherited)
        if len(there) == 2:
            yield from _faults_between(cursor)


def _faults_of(
    role: str, unbound: bool, settable: bool, inherited: bool
) -> Iterator[str]:
    if unbound:
        yield (
            f"Policies do not apply to the role {role}: remove SUPERUSER and BYPASSRLS."
        )
    if not settable:
        yield f"The login role cannot SET ROLE {role}."
    elif inherited and not _is_superuser():
        yield f"The login role inherits {role}: grant it WITH INHERIT FALSE, SET TRUE."


def _faults_between(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(LENT)
    if cursor.fetchone()[0]:
        yield f"The role {WEB} is a member of {OPERATOR} and so sees all rows."
    cursor.execute(OWNED_BY_WEB, [WEB, OPERATOR])
    if owned := [name for (name,) in cursor.fetchall()]:
        words = ", ".join(owned)
        yield f"{WEB} or {OPERATOR} owns {words}; the login role must own all tables."


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        return bool(cursor.fetchone()[0])
