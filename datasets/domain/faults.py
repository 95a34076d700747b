"""What can be wrong with a dataset file: every kind by name, and a log of all found.

An error refuses the dataset, a warning does not.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

KEPT = 100
MAX_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault: its title, and what its reader should do."""

    title: str
    advice: str
    error: bool = True


KINDS: dict[str, Kind] = {
    # The whole file
    "empty_file": Kind(title="No examples", advice="Give at least one example."),
    "unknown_format": Kind(
        title="Unknown format", advice="Bring the rows into one of the known formats."
    ),
    "archive": Kind(
        title="Archive", advice="Unpack it and upload the file inside; gzip is fine."
    ),
    "nested_gzip": Kind(title="Gzip inside gzip", advice="Compress it only once."),
    "broken_gzip": Kind(
        title="Broken gzip", advice="Compress the file again and upload it anew."
    ),
    "unpacks_too_large": Kind(
        title="Unpacks to too much", advice="Upload a smaller file, or several."
    ),
    "broken_parquet": Kind(
        title="Broken Parquet", advice="Write the Parquet file anew."
    ),
    "broken_csv": Kind(
        title="Broken CSV", advice="Close the quotes, and double those inside a field."
    ),
    "utf16": Kind(title="UTF-16 text", advice="Save the file as UTF-8."),
    "byte_order_mark": Kind(
        title="Byte order mark",
        advice="It is skipped; save as UTF-8 without BOM to be rid of this.",
        error=False,
    ),
    "blank_lines": Kind(
        title="Over a million blank lines", advice="Remove the blank lines."
    ),
    "too_many": Kind(
        title="Too many faults", advice="The rest of the file was not read."
    ),
    # One row
    "not_utf8": Kind(title="Not UTF-8", advice="Save the file as UTF-8."),
    "broken_json": Kind(title="Broken JSON", advice="Give one JSON object a row."),
    "not_a_number": Kind(
        title="NaN or Infinity", advice="JSON has no such number; write null instead."
    ),
    "lone_surrogate": Kind(
        title="Half a character",
        advice="Write characters beyond U+FFFF as UTF-8, or as a whole \\u pair.",
    ),
    "too_deep": Kind(
        title="Nested too deeply", advice="Flatten it; 100 levels are plenty."
    ),
    "row_too_long": Kind(
        title="Row too long", advice="Cut the row into several shorter ones."
    ),
    "not_an_object": Kind(title="Not an object", advice="Give an object a row."),
    "mixed_formats": Kind(
        title="Mixed formats", advice="Keep each file to one format."
    ),
    "missing_field": Kind(title="Missing field", advice="Give every row this field."),
    "no_messages": Kind(
        title="No messages", advice="Give a list of messages with role and content."
    ),
    "wrong_role": Kind(
        title="Wrong role", advice="Use system, user, assistant or tool."
    ),
    "not_text": Kind(title="Content is not text", advice="Give text."),
    "empty_content": Kind(
        title="Empty content", advice="Give text, or leave the message out."
    ),
    "wrong_weight": Kind(title="Wrong weight", advice="Give 0 or 1."),
    "wrong_tool_call": Kind(
        title="Wrong tool call",
        advice="Give a list of objects, each with function.name and .arguments.",
    ),
    "no_answer": Kind(
        title="No assistant turn",
        advice="Give at least one assistant message: there is nothing to learn.",
    ),
    "nothing_learned": Kind(
        title="Every weight is 0", advice="Give one assistant message the weight 1."
    ),
    # One row, harmless
    "same_role_again": Kind(
        title="Two turns of one role",
        advice="Join them; some chat templates refuse this.",
        error=False,
    ),
    "no_final_answer": Kind(
        title="Ends without an answer",
        advice="What follows the last answer is never learned.",
        error=False,
    ),
    "system_not_first": Kind(
        title="System message not first",
        advice="Put it first; many chat templates refuse it elsewhere.",
        error=False,
    ),
    "empty_system": Kind(
        title="Empty system message", advice="It was left out.", error=False
    ),
    "nul_character": Kind(
        title="NUL character", advice="Remove it; it is hardly meant.", error=False
    ),
    "no_target": Kind(
        title="No target response", advice="The row gives no example.", error=False
    ),
    "duplicate": Kind(
        title="Duplicate example",
        advice="Equal examples count twice in training; drop one if not meant.",
        error=False,
    ),
    "on_both_sides": Kind(
        title="Also in the validation file",
        advice="It was left out of training.",
        error=False,
    ),
    "secret": Kind(
        title="Likely secret",
        advice="What is trained on can be said by the model: remove it.",
        error=False,
    ),
    "same_file": Kind(
        title="Uploaded before", advice="Nothing is wrong; you may delete one.",
        error=False,
    ),
    # The model's side
    "template_refuses": Kind(
        title="Chat template refuses",
        advice="The example is left out with this base model.",
        error=False,
    ),
    "our_fault": Kind(
        title="Checking failed on our side",
        advice="Upload the file again, or ask an operator.",
    ),
    "check_ended": Kind(
        title="Checking ended three times before its time",
        advice="It most likely needs more memory than there is: upload the file in "
        "several parts, with shorter rows, or ask an operator.",
    ),
}  # fmt: skip


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
        """What was found and what to do, in a line."""
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
    """All faults counted by kind; the first 100 errors and 100 warnings in full."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    error_count: int = 0

    def add(self, fault: Fault) -> None:
        self.counts[fault.kind] += 1
        self.error_count += fault.is_error
        kept = self.errors if fault.is_error else self.warnings
        if len(kept) < KEPT:
            kept.append(fault)

    def extend(self, faults: "list[Fault]") -> None:
        for fault in faults:
            self.add(fault)


def shown(value: Any) -> str:
    """A JSON value in a few words: its type, and its beginning when it is short."""
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
    """Text that a database takes: no NUL, no half characters."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    return safe.replace("\x00", "\N{SYMBOL FOR NULL}")
