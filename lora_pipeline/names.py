"""Names that nobody knows: what was sent, and the nearest that is known."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

MOST_NAMED = 20


def unknown_names(
    given: Iterable[object],
    known: Iterable[str],
    also_called: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What to say of each name that is not known, 20 at most.

    `also_called` has what other tools call our settings, each with our own name.
    """
    names = list(known)
    strange = [str(name) for name in given if name not in names][:MOST_NAMED]
    return {printable(n): _words(n, names, also_called or {}) for n in strange}


def printable(name: str) -> str:
    """A name that someone sent, as a key of our answer."""
    return name[:100].encode("utf-8", "replace").decode()


def _words(name: str, known: list[str], also_called: Mapping[str, str]) -> str:
    if not known:
        return "Unknown name. Nothing can be set here."
    closest = also_called.get(name) or nearest(name, known)
    return f"Unknown name. Did you mean {closest}? Known: {', '.join(known)}."


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that has most in common with one that is not known."""
    wanted = name[:100].lower()
    return max(known, key=lambda one: SequenceMatcher(None, wanted, one).ratio())
