"""What else is to be said of keys that are not used."""

from collections.abc import Iterable

from datasets.domain.formats.parts import changes_meaning

MEANS_MORE = (
    "Without it the rows mean something else: put what it says into the messages, "
    "or say which column is what."
)


def notes_of(names: Iterable[str]) -> dict[str, str]:
    """The advice for keys that change what a row means."""
    return {name: MEANS_MORE for name in names if changes_meaning(name)}
