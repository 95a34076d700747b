"""What was found while a row is read: faults, and keys that nobody used."""

from collections.abc import Collection
from typing import Any

from datasets.domain.faults import Fault


class Found:
    """Collects the findings of one row; `line` is the row's."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.faults: list[Fault] = []
        self.left: list[str] = []

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
