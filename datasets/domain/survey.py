"""Finds out where a JSON document keeps its rows, by reading its keys."""

from typing import Any

from datasets.domain.document import Document, Plan, TooLong
from datasets.domain.formats.declared import FORMATS, detect
from datasets.domain.formats.parts import Part, folded
from datasets.domain.formats.rows import PAIRS, VIEWER_KEYS, are_messages
from datasets.domain.parse import Parsed, parse

TRAIN = ("train", "training", "data", "rows", "examples", "samples", "items", "records",
         "conversations", "instances")  # fmt: skip
VALIDATION = ("validation", "test", "eval", "valid", "val", "dev", "evaluation")
# Keys whose list is one conversation, where its elements are messages or texts.
CONVERSATIONS = frozenset(
    name
    for found in FORMATS
    for part, names in found.needs
    if part is Part.MESSAGES
    for name in names
)
VALUES, ARRAY = Plan(inside="values"), Plan(inside="array")
MOST_LOOKED_AT = 20


def survey(document: Document) -> Plan:
    """The plan for a document, reading as little of it as tells.

    Raises Broken where it is no JSON before that is known.
    """
    sign = document.next_sign()
    if sign == b"[":
        return _survey_array(document)
    if sign != b"{":
        return VALUES
    return _survey_object(document, "") or VALUES


def _survey_array(document: Document) -> Plan:
    for _ in document.elements():
        first = _value(document)
        return VALUES if _is_message(first) else ARRAY
    return ARRAY


def _survey_object(document: Document, path: str) -> Plan | None:
    """Where an object's rows are; None where it is a row itself."""
    seen: dict[str, Any] = {}
    spare: list[str] = []
    inner: Plan | None = None
    for name in document.names():
        place = f"{path}.{name}" if path else name
        sign = document.next_sign()
        if sign == b"[":
            kind = _kind_of_array(document, name)
            if kind == "rows":
                return _members(place)
            if kind == "messages" and folded(name) in CONVERSATIONS:
                return None
            spare += [place] if kind == "objects" else []
            seen[name] = []
        elif sign == b"{" and not path:
            held = _value_or_survey(document, place)
            inner = inner or (held if isinstance(held, Plan) else None)
            seen[name] = {} if isinstance(held, Plan) else held
        else:
            seen[name] = _value(document)
    return _decided(seen, spare, inner)


def _decided(seen: dict[str, Any], spare: list[str], inner: Plan | None) -> Plan | None:
    if detect(seen) is not None and not spare:
        return None
    if inner is not None:
        return inner
    for name in (*TRAIN, *VALIDATION, *spare):
        if name in spare:
            return _members(name)
    held = [value for value in seen.values() if isinstance(value, dict)]
    are_rows = all(detect(value) for value in held[:MOST_LOOKED_AT])
    if held and len(held) == len(seen) and are_rows:
        return Plan(inside="members", members=("*",))
    if seen and all(value == [] for value in seen.values()) and _has_split(seen):
        return _members(next(iter(seen)))
    return None


def _has_split(seen: dict[str, Any]) -> bool:
    return any(name in (*TRAIN, *VALIDATION) for name in seen)


def _members(found: str) -> Plan:
    """The member that was found, and those that hold its other splits."""
    path, _, name = found.rpartition(".")
    before = f"{path}." if path else ""
    names = [name, *VALIDATION]
    if name in VALIDATION:
        names += ["train", "training"]
    return Plan(
        inside="members", members=tuple(dict.fromkeys(before + n for n in names))
    )


def is_validation(member: str) -> bool:
    """Whether a member holds the validation split."""
    return member.rpartition(".")[2] in VALIDATION


def _kind_of_array(document: Document, name: str) -> str:
    """What an array holds, by its first element; the rest is passed."""
    kind = ""
    for number in document.elements():
        if number == 0:
            kind = _kind(_value(document))
            if kind == "objects" and name in TRAIN:
                kind = "rows"
            if kind == "rows":
                return kind
            if kind == "messages" and folded(name) in CONVERSATIONS:
                return kind
        else:
            document.skip()
    return kind


def _kind(value: Any) -> str:
    if _is_message(value) or isinstance(value, str):
        return "messages"
    if isinstance(value, list):
        return "rows" if value and are_messages(value) else ""
    if not isinstance(value, dict):
        return ""
    if PAIRS in value or ("row" in value and value.keys() <= VIEWER_KEYS):
        return "rows"
    return "rows" if detect(value) is not None or "mapping" in value else "objects"


def _is_message(value: Any) -> bool:
    return are_messages([value]) and "conversation_id" not in value


def _value_or_survey(document: Document, path: str) -> Any:
    """An object's value; of a large one, the plan of the rows inside or nothing."""
    value = _value(document)
    if isinstance(value, dict):
        for name, held in value.items():
            rows = isinstance(held, list) and held and _kind(held[0]) == "rows"
            if rows and folded(name) not in CONVERSATIONS:
                return _members(f"{path}.{name}")
    return value


def _value(document: Document) -> Any:
    """A value that is not too long; None for one that is, or is broken."""
    try:
        found = parse(1, document.take())
    except TooLong:
        return None
    return found.value if isinstance(found, Parsed) else None
