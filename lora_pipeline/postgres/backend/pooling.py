"""Whether a connection keeps its settings from one query to the next.

Row-level security stands on two settings of the connection, the role and the user. A
pooler that gives every transaction another server connection (pgbouncer with
`pool_mode = transaction`) loses them or gives them to somebody else: lists are empty
and valid keys are refused, while every single query is right.
"""

import secrets

import psycopg
from django.db import connection

SETTING = "app.pooling_probe"
OTHERS = 3
SET = f"SELECT set_config('{SETTING}', %s, false), pg_backend_pid()"
READ = f"SELECT coalesce(current_setting('{SETTING}', true), ''), pg_backend_pid()"


def loses_settings() -> bool:
    """Whether settings do not survive, tried with a few connections of our own.

    While others hold a transaction each, the first must still be on its own server
    connection: a pooler of transactions has given that to one of them.
    """
    token = secrets.token_hex(8)
    with _connected() as first:
        before = first.execute(SET, [token]).fetchone()
        others: list[psycopg.Connection] = []
        try:
            for _ in range(OTHERS):
                others.append(other := _connected())
                other.execute("BEGIN")
                if other.execute(READ).fetchone() == before:
                    return True
            return first.execute(READ).fetchone() != before
        except psycopg.errors.ProtocolViolation:  # a pooler of single statements
            return True
        finally:
            for other in others:
                other.close()


def _connected() -> psycopg.Connection:
    params = connection.get_connection_params()
    return psycopg.Connection.connect(**params, autocommit=True)
