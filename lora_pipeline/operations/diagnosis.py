"""The doctor's checks and findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part of the installation, its state and how to fix it."""

    part: str
    level: Level
    words: str
    remedy: str = ""

    def __str__(self) -> str:
        head = f"{self.level:<7}  {self.part:<11} {self.words}"
        return f"{head}; fix: {self.remedy}" if self.remedy else head


@dataclass(frozen=True, slots=True)
class Check:
    """One check; those that need the database are skipped without it."""

    ask: Callable[[], Iterator[Finding]]
    needs_database: bool = False


def ok(part: str, words: str) -> Finding:
    """The check passed."""
    return Finding(part=part, level="ok", words=words)


def warning(part: str, words: str, remedy: str) -> Finding:
    """It works, but needs attention."""
    return Finding(part=part, level="warning", words=words, remedy=remedy)


def fault(part: str, words: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(part=part, level="fault", words=words, remedy=remedy)
