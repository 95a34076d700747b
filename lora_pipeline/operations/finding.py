"""What the doctor asks, and one thing that it found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part, how it is, and what to do where it is not in order."""

    part: str
    level: Level
    words: str
    remedy: str = ""

    def __str__(self) -> str:
        head = f"{self.level:<7}  {self.part:<11} {self.words}"
        return f"{head}; to do: {self.remedy}" if self.remedy else head


@dataclass(frozen=True, slots=True)
class Check:
    """One question; those that need the database are not asked without it."""

    ask: Callable[[], Iterator[Finding]]
    needs_database: bool = False


def ok(part: str, words: str) -> Finding:
    """In order."""
    return Finding(part=part, level="ok", words=words)


def warning(part: str, words: str, remedy: str) -> Finding:
    """Works, but should be looked after."""
    return Finding(part=part, level="warning", words=words, remedy=remedy)


def fault(part: str, words: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding(part=part, level="fault", words=words, remedy=remedy)
