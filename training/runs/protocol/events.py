"""What a trainer may report: the shape of every kind of event, and reading a body.

What stands here is all that the database can take, so that a report is either stored or
refused for good (400), and never fails half-way.
"""

import re
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lora_pipeline.errors import Refusal

MOST_EVENTS = 1000
YEARS = range(1970, 9999)  # what still is a date in every time zone

Whole: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Large: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# As far as float32 reaches, in which losses and gradients are computed.
Finite: TypeAlias = Annotated[float, Meta(ge=-3.5e38, le=3.5e38)]
NotANumber: TypeAlias = Literal["NaN", "Infinity", "-Infinity"]
"""JSON has no such numbers; these words are JavaScript's and float()'s."""
Measure: TypeAlias = Finite | NotANumber | None
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
Word: TypeAlias = Annotated[str, Meta(max_length=300)]
# A checkpoint's folder, which must not lie elsewhere than among the run's own.
Folder: TypeAlias = Annotated[str, Meta(pattern=r"^checkpoint-[0-9]{1,12}\Z")]
# What a branch of the hub stands at.
Commit: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{7,64}\Z")]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Event(Struct, kw_only=True, tag_field="type"):
    """What every event has."""

    sequence: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    at: Annotated[datetime, Meta(tz=True)]

    def __post_init__(self) -> None:
        if self.at.year not in YEARS:
            raise ValueError(f"the year {self.at.year} is none of 1970 to 9998")


class Unknown(Event, tag=""):
    """A kind that this console does not know, of a newer trainer."""

    kind: str


class Started(Event, tag="started"):
    pid: Whole | None = None
    hostname: Word | None = None
    versions: dict[Word, Word] | None = None
    device: Word | None = None
    world_size: Whole | None = None


class Measured(Struct):
    """What a run took, for the estimates to learn from."""

    parts_seconds: dict[Word, Amount] = {}
    steps: Whole = 0
    step_seconds_mean: Amount | None = None
    step_seconds_p50: Amount | None = None
    step_seconds_p90: Amount | None = None
    real_tokens: Large = 0
    padded_tokens: Large = 0
    kernels: dict[Word, Word] = {}
    peak_allocated_bytes: Large | UnsetType = UNSET
    peak_reserved_bytes: Large | UnsetType = UNSET
    peak_device_bytes: Large | UnsetType = UNSET
    peak_resident_bytes: Large | UnsetType = UNSET


class RunFacts(Struct):
    """What a run found out about itself."""

    adapter_hashes: list[Word] | UnsetType = UNSET
    visible_devices: Word | UnsetType = UNSET
    base_commit: Commit | UnsetType = UNSET
    delivered_step: Whole | UnsetType = UNSET
    measured: Measured | UnsetType = UNSET


class Facts(Event, tag="facts"):
    facts: RunFacts


class Steps(Event, tag="steps"):
    total_steps: Whole


class Stage(Event, tag="stage"):
    stage: Word


class Metrics(Event, tag="metrics"):
    step: Whole
    epoch: Amount | None = None
    loss: Measure = None
    learning_rate: Measure = None
    grad_norm: Measure = None
    aux_loss: Measure = None
    tokens_seen: Large | None = None
    tokens_per_second: Measure = None
    step_seconds: Amount | None = None
    gpu_use: Measure = None
    gpu_memory_bytes: Large | None = None


class Evaluation(Event, tag="eval"):
    step: Whole
    epoch: Amount | None = None
    loss: Measure = None


class Saved(Event, tag="checkpoint"):
    step: Whole
    name: Folder
    size_bytes: Large = 0


class Freed(Event, tag="freed"):
    names: list[Folder]


class Log(Event, tag="log"):
    message: str = ""
    level: Level = "info"


class Completed(Event, tag="completed"):
    pass


class Cancelled(Event, tag="cancelled"):
    step: Whole | None = None


class Failed(Event, tag="failed"):
    kind: Annotated[str, Meta(max_length=30)] = ""
    message: str = ""
    stack: str = ""
    log_tail: str = ""


AnyEvent: TypeAlias = (
    Started
    | Facts
    | Steps
    | Stage
    | Metrics
    | Evaluation
    | Saved
    | Freed
    | Log
    | Completed
    | Cancelled
    | Failed
)


class Head(Struct):
    """Enough to name an event, and to know whether its kind is known."""

    sequence: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    at: Annotated[datetime, Meta(tz=True)]
    type: Annotated[str, Meta(max_length=30)]


class Batch(Struct):
    """The body of a report."""

    events: Annotated[list[AnyEvent], Meta(max_length=MOST_EVENTS)]
    running_seconds: Amount | None = None


class RawBatch(Struct):
    """A body that is looked through event by event."""

    events: Annotated[list[msgspec.Raw], Meta(max_length=MOST_EVENTS)]
    running_seconds: Amount | None = None


class Report(NamedTuple):
    """The events of a body, and how long the trainer says that it has been running."""

    events: list[Event]
    running_seconds: float | None


KINDS = {kind.__struct_config__.tag for kind in get_args(AnyEvent)}
# The character that no text of PostgreSQL holds. A backslash before it may be escaped
# itself: then what follows is but the letters u0000.
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_batch = msgspec.json.Decoder(Batch)
_raw_batch = msgspec.json.Decoder(RawBatch)
_head = msgspec.json.Decoder(Head)
_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def read(body: bytes) -> Report:
    """What a body reports. Raises Refusal 400, saying which is wrong and how."""
    try:
        if not NUL.search(body):
            batch = _batch.decode(body)
            return Report(list(batch.events), batch.running_seconds)
    except UNREADABLE:
        pass  # the slow way says which event it was, and lets unknown kinds pass
    try:
        raw_batch = _raw_batch.decode(body)
    except UNREADABLE as error:
        raise _refused(str(error)) from error
    numbered = enumerate(raw_batch.events, 1)
    events = [_read_one(bytes(raw), place) for place, raw in numbered]
    return Report(events, raw_batch.running_seconds)


def _read_one(raw: bytes, place: int) -> Event:
    named = f"the {place}. of this report"
    try:
        head = _head.decode(raw)
        named = f"{head.sequence} ({head.type})"
        if NUL.search(raw):
            raise msgspec.ValidationError("a text holds the character NUL")
        if head.type in KINDS:
            return _event.decode(raw)
        return Unknown(sequence=head.sequence, at=head.at, kind=head.type)
    except (*UNREADABLE, ValueError) as error:
        raise _refused(f"Event {named!r}: {error}.") from error


def event_of(values: dict[str, Any]) -> Event:
    """An event from its JSON's values. Raises msgspec.ValidationError."""
    return msgspec.convert(values, AnyEvent)  # type: ignore[no-any-return]


def _refused(words: str) -> Refusal:
    return Refusal(
        "The events cannot be read: see details.",
        code="invalid",
        details={"events": [words]},
    )


def number(measure: Measure) -> float | None:
    """As it is stored: PostgreSQL's floats know NaN and infinity."""
    return float(measure) if isinstance(measure, str) else measure


def finite(measure: Measure) -> float | None:
    """A number that can be reckoned with; None for any other and for none."""
    value = number(measure)
    return value if value is not None and isfinite(value) else None
