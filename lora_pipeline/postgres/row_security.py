"""Sets the user that row-level security applies to.

The web process connects as role `lp_web`, whose policies show only rows of the user in
the setting `app.user_id`; unset, they show only the keys and sessions needed to sign
in. Work across users (worker, reconciler, admin, run token lookup) uses `lp_operator`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Func, TextField, Value
from django.db.models.functions import Cast

CURRENT_USER = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"

AS_OPERATOR = (
    "SELECT set_config('role', 'lp_operator', false),"
    " set_config('app.user_id', '', false)"
)


def from_then_on(user: str) -> dict[str, Func]:
    """Annotations that make a user's rows visible in the query that finds the user.

    From then on this connection sees that user's rows, as role `lp_web`. `user` is the
    query's path to the user's id. Only for queries that return at most one row: with
    more, the last one would win.
    """
    return {
        "role_from_then_on": _set_config("role", Value("lp_web")),
        "user_from_then_on": _set_config("app.user_id", Cast(user, TextField())),
    }


def _set_config(name: str, value: Any) -> Func:
    words = (Value(name), value, Value(False))
    return Func(*words, function="set_config", output_field=TextField())


def act_as_operator() -> None:
    """Let this connection see all rows."""
    _set("lp_operator", "")


def reset() -> None:
    """Reset the connection to its initial role, with no user's rows visible."""
    if connection.connection is None or connection.connection.closed:
        return
    if connection.needs_rollback:
        connection.set_rollback(False)
    _set(_opened_as(), "")


@contextmanager
def operator() -> Iterator[None]:
    """See all rows inside the block; restores the previous view afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_role, current_setting('app.user_id', true)")
        role, user_id = cursor.fetchone()
    act_as_operator()
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _set(role, user_id or "")


def _set(role: str, user_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', %s, false),"
            " set_config('app.user_id', %s, false)",
            [role, user_id],
        )


def _opened_as() -> str:
    """The role that a new connection takes; `none` for the login role itself."""
    return str(connection.settings_dict["OPTIONS"].get("assume_role") or "none")


def owner_policies(table: str, owner_column: str = "user_id") -> tuple[str, str]:
    """SQL to protect a table with an owner column, and SQL to undo it."""
    return _policies(table, f"{owner_column} = {CURRENT_USER}")


def child_policies(table: str, column: str, parent: str) -> tuple[str, str]:
    """SQL to protect a table whose rows belong to a protected parent.

    The parent's policies apply inside the subquery, so a row is visible exactly when
    its parent is.
    """
    seen = f"EXISTS (SELECT 1 FROM {parent} p WHERE p.id = {table}.{column})"  # noqa: S608 - names from migrations, never from a request
    return _policies(table, seen)


def signing_in_policies(table: str) -> tuple[str, str]:
    """SQL to protect sessions or API keys, and SQL to undo it.

    They are looked up by a secret before the user is known, and a session starts
    without a user; once the user is known, only their own are visible.
    """
    nobody = f"{CURRENT_USER} IS NULL OR user_id IS NULL"
    return _policies(table, f"({nobody} OR user_id = {CURRENT_USER})")


def _policies(table: str, seen: str) -> tuple[str, str]:
    forward = f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY {table}_owner ON {table} TO lp_web
            USING ({seen}) WITH CHECK ({seen});
        CREATE POLICY {table}_operator ON {table} TO lp_operator
            USING (true) WITH CHECK (true);
    """
    backward = f"""
        DROP POLICY {table}_owner ON {table};
        DROP POLICY {table}_operator ON {table};
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
    """
    return forward, backward
