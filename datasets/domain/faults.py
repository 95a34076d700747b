"""Everything that can be wrong with a dataset file, and a log of what was found.

An error rejects the dataset, a warning does not.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

KEPT = 100
MAX_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of error or warning: its title and how to fix it."""

    title: str
    advice: str
    error: bool = True


KINDS: dict[str, Kind] = {
    # The whole file
    "empty_file": Kind(title="No examples", advice="Provide at least one example."),
    "unknown_format": Kind(
        title="Unknown format",
        advice="Convert the rows to one of the supported formats.",
    ),
    "archive": Kind(
        title="Archive",
        advice="Extract it and upload the file inside. Only gzip is supported.",
    ),
    "nested_gzip": Kind(
        title="Gzip inside gzip", advice="Compress the file only once."
    ),
    "broken_gzip": Kind(
        title="Corrupt gzip", advice="Compress the file again and upload it again."
    ),
    "unpacks_too_large": Kind(
        title="Too large when decompressed",
        advice="Upload a smaller file, or split it into several.",
    ),
    "broken_parquet": Kind(
        title="Corrupt Parquet", advice="Export the Parquet file again."
    ),
    "broken_csv": Kind(
        title="Invalid CSV",
        advice="Close every quote, and double quotes inside a field.",
    ),
    "utf16": Kind(title="UTF-16 text", advice="Save the file as UTF-8."),
    "byte_order_mark": Kind(
        title="Byte order mark",
        advice="Ignored. Save as UTF-8 without BOM to avoid this warning.",
        error=False,
    ),
    "blank_lines": Kind(
        title="More than a million blank lines", advice="Remove the blank lines."
    ),
    "too_many": Kind(
        title="Too many errors", advice="The rest of the file was not checked."
    ),
    # One row
    "not_utf8": Kind(title="Not UTF-8", advice="Save the file as UTF-8."),
    "broken_json": Kind(title="Invalid JSON", advice="Write one JSON object per row."),
    "not_a_number": Kind(
        title="NaN or Infinity", advice="JSON has no such number. Use null instead."
    ),
    "lone_surrogate": Kind(
        title="Unpaired surrogate",
        advice="Write characters above U+FFFF as UTF-8, or as a complete \\u pair.",
    ),
    "too_deep": Kind(
        title="Nested too deeply", advice="Flatten it: at most 100 levels are allowed."
    ),
    "row_too_long": Kind(
        title="Row too long", advice="Split the row into several shorter ones."
    ),
    "not_an_object": Kind(title="Not an object", advice="Make every row an object."),
    "mixed_formats": Kind(
        title="Mixed formats", advice="Use one format per file."
    ),
    "missing_field": Kind(title="Missing field", advice="Add this field to every row."),
    "no_messages": Kind(
        title="No messages", advice="Provide a list of messages with role and content."
    ),
    "wrong_role": Kind(
        title="Invalid role", advice="Use system, user, assistant or tool."
    ),
    "not_text": Kind(title="Content is not text", advice="Use a string."),
    "empty_content": Kind(
        title="Empty content", advice="Add text, or remove the message."
    ),
    "wrong_weight": Kind(title="Invalid weight", advice="Use 0 or 1."),
    "wrong_tool_call": Kind(
        title="Invalid tool call",
        advice="Provide a list of objects, each with function.name and .arguments.",
    ),
    "no_answer": Kind(
        title="No assistant turn",
        advice="Add at least one assistant message: there is nothing to train on.",
    ),
    "nothing_learned": Kind(
        title="Every weight is 0",
        advice="Set the weight of at least one assistant message to 1.",
    ),
    # One row, harmless
    "same_role_again": Kind(
        title="Consecutive turns of the same role",
        advice="Merge them: some chat templates reject this.",
        error=False,
    ),
    "no_final_answer": Kind(
        title="Last turn is not an answer",
        advice="Turns after the last answer are not trained on.",
        error=False,
    ),
    "system_not_first": Kind(
        title="System message not first",
        advice="Put it first: many chat templates reject it elsewhere.",
        error=False,
    ),
    "empty_system": Kind(
        title="Empty system message", advice="It was ignored.", error=False
    ),
    "nul_character": Kind(
        title="NUL character",
        advice="Remove it: it is probably unintended.",
        error=False,
    ),
    "no_target": Kind(
        title="No target response", advice="The row yields no example.", error=False
    ),
    "duplicate": Kind(
        title="Duplicate example",
        advice="Duplicates count twice in training. Remove one if unintended.",
        error=False,
    ),
    "on_both_sides": Kind(
        title="Also in the validation file",
        advice="It was removed from the train split.",
        error=False,
    ),
    "secret": Kind(
        title="Likely secret",
        advice="A model can repeat its training data: remove the secret.",
        error=False,
    ),
    "same_file": Kind(
        title="Uploaded before",
        advice="No action needed. You can delete one of the two.",
        error=False,
    ),
    # The model's side
    "template_refuses": Kind(
        title="Rejected by the chat template",
        advice="The example is left out when training this base model.",
        error=False,
    ),
    "our_fault": Kind(
        title="Validation failed on our side",
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
    """Counts by kind, plus the first 100 errors and 100 warnings in full."""

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
