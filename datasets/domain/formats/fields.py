"""A row's values by the part they play, and what is found while they are read."""

from collections.abc import Collection
from typing import Any, NamedTuple

from datasets.domain.faults import Fault
from datasets.domain.formats.declared import Format
from datasets.domain.formats.parts import Part, folded


class Value(NamedTuple):
    """A key as the row spells it, and its value."""

    key: str
    value: Any


def is_empty(value: Any) -> bool:
    """Whether a value says nothing, so that nothing is lost without it."""
    return value is None or value == "" or value == [] or value == {}


class Fields:
    """Hands out a row's values by part; what was not taken is unused."""

    def __init__(self, row: dict[str, Any], format: Format) -> None:
        self._row = row
        self._by_part: dict[Part, list[Value]] = {}
        self._taken: set[str] = set()
        plays = format.plays
        for key, value in row.items():
            part = plays.get(key) or plays.get(folded(key))
            if part is not None:
                self._by_part.setdefault(part, []).append(Value(key, value))
        for values in self._by_part.values():
            if len(values) > 1:
                values.sort(
                    key=lambda v: (is_empty(v.value), format.ranks[folded(v.key)])
                )

    def has(self, part: Part) -> bool:
        """Whether a part has a value that is not empty."""
        values = self._by_part.get(part, [])
        return any(not is_empty(value.value) for value in values)

    def take(self, part: Part) -> Value | None:
        """The first value of a part, empty or not; None without a key for it."""
        values = self._by_part.get(part)
        if not values:
            return None
        self._taken.add(values[0].key)
        return values[0]

    def take_all(self, part: Part) -> list[Value]:
        """All values of a part that are not empty."""
        found = [v for v in self._by_part.get(part, ()) if not is_empty(v.value)]
        self._taken.update(v.key for v in found)
        return found

    def unused(self) -> list[str]:
        """The keys whose values are not empty, and that nobody took."""
        taken = self._taken
        return [
            key
            for key, value in self._row.items()
            if key not in taken and not is_empty(value)
        ]


class Found:
    """Collects the findings of one row; `line` is the row's."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.faults: list[Fault] = []
        self.left: list[str] = []
        self.tools: list[tuple[str, Any]] = []

    def fault(self, kind: str, field: str, found: str = "") -> None:
        self.faults.append(Fault(kind=kind, line=self.line, field=field, found=found))

    def unused(self, where: str, value: dict[str, Any], used: Collection[str]) -> None:
        """Note the keys of an object that were not used and say something."""
        for key, held in value.items():
            if key not in used and held not in (None, "", [], {}):
                self.left.append(f"{general(where)}.{key}")

    @property
    def has_errors(self) -> bool:
        return any(fault.is_error for fault in self.faults)


def general(where: str) -> str:
    """A place without its numbers, the same in all rows: `messages[].tool_calls`."""
    kept, inside = [], False
    for sign in where:
        if sign == "]":
            inside = False
        if not inside:
            kept.append(sign)
        if sign == "[":
            inside = True
    return "".join(kept)
