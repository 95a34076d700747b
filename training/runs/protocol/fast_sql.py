"""Prebuilt SQL for the rows that every trainer report reads and writes.

At two hundred reports per second, compiling the same ORM queries was half of the cost
(`tests/benchmarks/test_ingest.py`). The statements are built from the models, so they
include new fields automatically.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from lora_pipeline.postgres import row_security
from training.models import MetricPoint, RunAttempt, TrainingJob

LONG_TEXTS = ("log_tail", "error_stack")
"""Columns that reports do not need; deferred."""

Row = Mapping[str, Any]


def lock_attempt(column: str, value: Any) -> RunAttempt | None:
    """The attempt with its job, both locked until the transaction ends, or None.

    `column` is "id" or "token_hash".
    """
    with connection.cursor() as cursor:
        cursor.execute(_lock_sql(column), [value])
        row = cursor.fetchone()
    if row is None:
        return None
    count = len(_columns(RunAttempt))
    attempt: RunAttempt = _instance(RunAttempt, row[:count])
    attempt.job = _instance(TrainingJob, row[count:])
    return attempt


def peek_attempt(token_hash: str) -> RunAttempt | None:
    """Who has this token, by id and end alone, as the operator from then on.

    Both in one trip to the database, since every report pays for it.
    """
    table = RunAttempt._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"{row_security.AS_OPERATOR};"
            f" SELECT id, ended_at FROM {table} WHERE token_hash = %s",
            [token_hash],
        )
        cursor.nextset()
        row = cursor.fetchone()
    return RunAttempt(pk=row[0], ended_at=row[1]) if row else None


def write_points(
    job: TrainingJob,
    attempt: RunAttempt,
    rows: Sequence[Row],
    *,
    replaced: tuple[str, ...],
) -> None:
    """Upsert one metric row per step, all with the same columns; for existing rows
    only the columns in `replaced` are written.
    """
    if not rows:
        return
    names = tuple(rows[0])
    values = [
        _prepared(MetricPoint, name, (row[name] for row in rows)) for name in names
    ]
    with connection.cursor() as cursor:
        cursor.execute(_points_sql(names, replaced), [job.pk, attempt.pk, *values])


def write_progress(
    job: TrainingJob,
    job_fields: tuple[str, ...],
    attempt: RunAttempt,
    attempt_fields: tuple[str, ...],
) -> None:
    """Write these fields of both rows in one statement."""
    values = [
        *_values(attempt, attempt_fields),
        attempt.pk,
        *_values(job, job_fields),
        job.pk,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_progress_sql(job_fields, attempt_fields), values)


@cache
def _lock_sql(column: str) -> str:
    attempt, job = RunAttempt._meta.db_table, TrainingJob._meta.db_table
    columns = [
        f"{alias}.{field.column}"
        for alias, model in (("a", RunAttempt), ("j", TrainingJob))
        for field in _columns(model)
    ]
    return (
        f"SELECT {', '.join(columns)} FROM {attempt} a JOIN {job} j ON j.id = a.job_id"
        f" WHERE a.{column} = %s FOR UPDATE OF a, j"
    )


@cache
def _points_sql(names: tuple[str, ...], replaced: tuple[str, ...]) -> str:
    fields = [_field(MetricPoint, name) for name in names]
    columns = [field.column for field in fields]
    arrays = [f"(%s)::{field.db_type(connection)}[]" for field in fields]
    return (
        f"INSERT INTO {MetricPoint._meta.db_table}"
        f" (job_id, attempt_id, {', '.join(columns)})"
        f" SELECT %s, %s, * FROM unnest({', '.join(arrays)})"
        " ON CONFLICT (job_id, step) DO UPDATE SET "
        + ", ".join(f"{column} = EXCLUDED.{column}" for column in replaced)
    )


@cache
def _progress_sql(job_fields: tuple[str, ...], attempt_fields: tuple[str, ...]) -> str:
    return (
        f"WITH attempt AS ({_update_sql(RunAttempt, attempt_fields)})"
        f" {_update_sql(TrainingJob, job_fields)}"
    )


def _update_sql(model: type[models.Model], names: Iterable[str]) -> str:
    sets = ", ".join(f"{_field(model, name).column} = %s" for name in names)
    return f"UPDATE {model._meta.db_table} SET {sets} WHERE id = %s"


@cache
def _columns(model: type[models.Model]) -> list[Any]:
    return [f for f in model._meta.concrete_fields if f.name not in LONG_TEXTS]


@cache
def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _instance(model: Any, row: Sequence[Any]) -> Any:
    fields = _columns(model)
    values = [
        field.from_db_value(value, None, connection)
        if hasattr(field, "from_db_value")
        else value
        for field, value in zip(fields, row, strict=True)
    ]
    return model.from_db(connection.alias, [f.attname for f in fields], values)


def _values(instance: models.Model, names: Iterable[str]) -> list[Any]:
    fields = [_field(type(instance), name) for name in names]
    return [
        field.get_db_prep_save(field.pre_save(instance, False), connection)
        for field in fields
    ]


def _prepared(model: type[models.Model], name: str, values: Iterable[Any]) -> list[Any]:
    field = _field(model, name)
    return [field.get_db_prep_save(value, connection) for value in values]
