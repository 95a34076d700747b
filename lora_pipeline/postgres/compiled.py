"""Queries that are compiled to SQL once, for what every request asks.

Django builds a query set and compiles it anew for each call: 1 ms of CPU for a query
that PostgreSQL answers in 0.1. What does not change is kept here; a call brings values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID, uuid4
from weakref import WeakSet

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)
MARKS: dict[type, Callable[[], Any]] = {UUID: uuid4, str: lambda: f"<{uuid4()}>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """SQL, what stands in its parameters, and how a row becomes an object.

    `slots` are the positions of the values of a call, by name.
    """

    sql: str
    parameters: tuple[Any, ...]
    slots: tuple[tuple[int, str], ...]
    model: type[Model]
    columns: slice
    names: tuple[str, ...]
    annotations: tuple[tuple[str, int], ...]
    converters: tuple[tuple[int, Any, Any], ...]
    related: tuple[Any, ...]

    def filled(self, values: dict[str, Any]) -> list[Any]:
        """The parameters of one call."""
        found = list(self.parameters)
        for position, name in self.slots:
            found[position] = values[name]
        return found

    def object_of(self, given: tuple[Any, ...]) -> Any:
        """A row as Django's own iteration makes an object of it."""
        row = list(given)
        for position, convert, expression in self.converters:
            row[position] = convert(row[position], expression, connection)
        found = self.model.from_db(connection.alias, self.names, row[self.columns])
        for populator in self.related:
            populator.populate(row, found)
        for name, position in self.annotations:
            setattr(found, name, row[position])
        return found


class Compiled(Generic[Row]):
    """A query set of some values, each of a type in MARKS.

    `build` is called once, with a mark for each value: it may pass them on to filters
    and annotations but not look at them, and reads neither the clock nor a setting.
    """

    known: ClassVar[WeakSet["Compiled[Any]"]] = WeakSet()

    def __init__(self, build: Callable[..., QuerySet[Row]], **kinds: type) -> None:
        self._build, self._kinds = build, kinds
        self._plan: Plan | None = None
        self.known.add(self)

    def rows(self, **values: Any) -> list[Row]:
        """All rows, by one query."""
        plan = self._plan or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, plan.filled(values))
            return [plan.object_of(row) for row in cursor.fetchall()]

    def one(self, **values: Any) -> Row | None:
        """The row of a query that finds one at most, or None."""
        found = self.rows(**values)
        return found[0] if found else None

    def _compile(self) -> Plan:
        marks = {name: MARKS[kind]() for name, kind in self._kinds.items()}
        compiler = self._build(**marks).query.get_compiler(connection.alias)
        sql, parameters = compiler.as_sql()
        self._plan = plan_of(compiler, sql, parameters, marks)
        return self._plan


def plan_of(compiler: Any, sql: str, parameters: Any, marks: dict[str, Any]) -> Plan:
    """What a compiler that has made its SQL knows of the rows."""
    names = {mark: name for name, mark in marks.items()}
    info, select = compiler.klass_info, compiler.select
    columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
    converters = compiler.get_converters([column[0] for column in select])
    return Plan(
        sql=sql,
        parameters=tuple(parameters),
        slots=tuple(
            (position, names[value])
            for position, value in enumerate(parameters)
            if isinstance(value, str | UUID) and value in names
        ),
        model=info["model"],
        columns=columns,
        names=tuple(column[0].target.attname for column in select[columns]),
        annotations=tuple(compiler.annotation_col_map.items()),
        converters=tuple(
            (position, convert, expression)
            for position, (converts, expression) in converters.items()
            for convert in converts
        ),
        related=tuple(get_related_populators(info, select, connection.alias)),  # type: ignore[call-arg]
    )


def forget() -> None:
    """Compile all anew: for who takes a filter out of a query set, as tests do."""
    for query in Compiled.known:
        query._plan = None
