"""Who the database believes is asking.

The web process connects as role `lp_web`, whose policies show only rows of the user
named in the setting `app.user_id`; unset, they show nothing but the keys and sessions
by which somebody signs in. Work for everybody (worker, reconciler, the admin, looking
up a run token) happens as `lp_operator`.
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
    """Annotations by which the query that finds a user brings their rows into view.

    From then on this connection sees the rows of that user, as role `lp_web`. `user` is
    the query's path to the user's id. Only for a query that finds one row at most: the
    last one found would be the one who sees.
    """
    return {
        "role_from_then_on": _set_config("role", Value("lp_web")),
        "user_from_then_on": _set_config("app.user_id", Cast(user, TextField())),
    }


def _set_config(name: str, value: Any) -> Func:
    words = (Value(name), value, Value(False))
    return Func(*words, function="set_config", output_field=TextField())


def act_as_operator() -> None:
    """From here on this connection sees all rows."""
    _set("lp_operator", "")


def reset() -> None:
    """Back to what the connection was opened with, with nobody's rows in view."""
    if connection.connection is None or connection.connection.closed:
        return
    if connection.needs_rollback:
        connection.set_rollback(False)
    _set(_opened_as(), "")


@contextmanager
def operator() -> Iterator[None]:
    """See all rows inside the block, and what was seen before after it."""
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
    """The role named in the connection options, `none` for the login role itself."""
    options = str(connection.settings_dict["OPTIONS"].get("options", ""))
    return options.partition("role=")[2] or "none"


def owner_policies(table: str, owner_column: str = "user_id") -> tuple[str, str]:
    """SQL to protect a table that names its owner, and SQL to undo it."""
    return _policies(table, f"{owner_column} = {CURRENT_USER}")


def child_policies(table: str, column: str, parent: str) -> tuple[str, str]:
    """SQL to protect a table whose rows hang off a protected parent.

    The parent's own policies apply inside the subquery, so a row is seen exactly when
    its parent is.
    """
    seen = f"EXISTS (SELECT 1 FROM {parent} p WHERE p.id = {table}.{column})"  # noqa: S608 - names from migrations, never from a request
    return _policies(table, seen)


def signing_in_policies(table: str) -> tuple[str, str]:
    """SQL to protect sessions or API keys, and SQL to undo it.

    They are looked up by a secret before anybody is known, and a session begins without
    a user; once somebody is known, only their own are seen.
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
