"""What was found to be wrong with a dataset file.

An error rejects the dataset, a warning does not.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets.domain.fault_kinds import KINDS

KEPT, KEPT_OF_A_WARNING = 100, 25
NAMED_ALONE, NAMED_TOGETHER = 60, 100
MOST_NAMES, OTHER_NAMES = 5000, "(further keys)"
MAX_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding; `line` counts from 1, None means the whole file."""

    kind: str
    line: int | None = None
    field: str = ""
    found: str = ""
    advice: str = ""
    file: str = "train"

    @property
    def is_error(self) -> bool:
        return KINDS[self.kind].error

    @property
    def message(self) -> str:
        """What was found and how to fix it, on one line."""
        kind = KINDS[self.kind]
        found = f"{kind.title}: {self.found}." if self.found else f"{kind.title}."
        return f"{found} {self.advice or kind.advice}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "severity": "error" if self.is_error else "warning",
            "file": self.file,
            "line": self.line,
            "field": clean(self.field),
            "found": clean(self.found),
            "message": clean(self.message),
        }


@dataclass(slots=True)
class FaultLog:
    """Counts by kind, plus the first 100 errors and warnings in full.

    Of one kind of warning the first 25, so that it does not crowd out the others.
    """

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    error_count: int = 0
    bad_lines: set[int] = field(default_factory=set)
    are_of_rows: bool = True
    unused: Counter[str] = field(default_factory=Counter)
    first_line: dict[str, int] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        self.counts[fault.kind] += 1
        if fault.is_error:
            self.error_count += 1
            self.are_of_rows &= fault.line is not None
            self.bad_lines.add(fault.line or 0)
        kept = self.errors if fault.is_error else self.warnings
        many = not fault.is_error and self.counts[fault.kind] > KEPT_OF_A_WARNING
        if len(kept) < KEPT and not many:
            kept.append(fault)

    def warn_first(self, fault: Fault) -> None:
        """Add a warning that stands before all others."""
        self.counts[fault.kind] += 1
        self.warnings.insert(0, fault)

    def forgive(self, summary: Fault) -> None:
        """Make the errors a record among the warnings, below their summary."""
        self.warnings = [summary, *self.errors, *self.warnings]
        self.counts[summary.kind] += 1
        self.errors, self.error_count = [], 0

    def extend(self, faults: "list[Fault]") -> None:
        for fault in faults:
            self.add(fault)

    def count_unused(self, line: int, names: Collection[str]) -> None:
        """Note the keys of a row that were not used.

        Called for every row: the counting is C's, and only new names are looked at.
        """
        self.unused.update(names)
        if len(self.unused) == len(self.first_line):
            return
        for name in names:
            if name in self.first_line or name not in self.unused:
                continue
            if len(self.first_line) < MOST_NAMES:
                self.first_line[name] = line
            else:
                self.unused[OTHER_NAMES] += self.unused.pop(name)
                self.first_line.setdefault(OTHER_NAMES, line)

    def name_unused(self, notes: Mapping[str, str]) -> None:
        """One warning for each unused key, most frequent first; many share one.

        `notes` says more of some keys.
        """
        ranked = sorted(self.unused.items(), key=lambda pair: (-pair[1], pair[0]))
        found = [
            self._unused_fault(name, f"`{name}`: {count:,} {_rows(count)}", notes)
            for name, count in ranked[:NAMED_ALONE]
        ]
        rest = [f"`{clean(name[:100])}`" for name, _ in ranked[NAMED_ALONE:]]
        found += [
            self._unused_fault("", ", ".join(rest[n : n + NAMED_TOGETHER]), notes)
            for n in range(0, len(rest), NAMED_TOGETHER)
        ]
        if found:
            self.counts["unused_key"] += len(found)
        self.warnings = [*found, *self.warnings]
        self.unused.clear()

    def _unused_fault(self, name: str, found: str, notes: Mapping[str, str]) -> Fault:
        line = self.first_line.get(name)
        note = notes.get(name, "")
        return Fault(kind="unused_key", line=line, field=name, found=found, advice=note)


def _rows(count: int) -> str:
    return "rows" if count != 1 else "row"


def shown(value: Any) -> str:
    """A short description of a JSON value: its type and, if short, its start."""
    if isinstance(value, str):
        return repr(clean(value[:MAX_SHOWN])) if value else "empty text"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return f"an object with the keys {keys(value)}" if value else "an empty object"


def keys(value: dict[Any, Any]) -> str:
    """The first keys of an object, quoted."""
    names = [repr(clean(str(name)[:40])) for name in list(value)[:8]]
    return ", ".join(names) + (", …" if len(value) > 8 else "")


def clean(text: str) -> str:
    """Text that is safe for the database: no NUL, no unpaired surrogates."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    return safe.replace("\x00", "\N{SYMBOL FOR NULL}")
