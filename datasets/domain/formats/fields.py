"""Values of a row by the part they play, and which of its keys nobody used."""

from typing import Any, NamedTuple

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
