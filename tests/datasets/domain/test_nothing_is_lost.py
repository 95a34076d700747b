"""Random rows of every format: each text is in the example, or its key is named."""

import json

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as some

from datasets.domain.formats.declared import FORMATS, Format
from datasets.domain.formats.fields import general
from datasets.domain.formats.parts import EVERYWHERE, Part
from datasets.domain.formats.rows import RowReader
from datasets.domain.formats.turns import row_bytes

ROLE_KEYS = {"role", "from", "author", "speaker", "type"}
TEXT = some.text("abxyz äß🪔\n\"'\\{[,:", min_size=1, max_size=12).map("s{}e".format)
NAMES = some.text("abcdefgh_", min_size=1, max_size=6).map("k{}".format)
SCALARS = some.none() | some.booleans() | some.integers(-9, 9) | TEXT
VALUES = some.recursive(
    SCALARS,
    lambda inner: (
        some.lists(inner, max_size=2) | some.dictionaries(NAMES, inner, max_size=2)
    ),
    max_leaves=4,
)
PARTS = some.lists(
    some.builds(lambda t: {"type": "text", "text": t}, TEXT)
    | some.builds(lambda t: {"text": t}, TEXT)
    | some.builds(lambda t: {"type": "thinking", "thinking": t}, TEXT)
    | some.builds(
        lambda n, a: {"type": "tool_use", "id": "i", "name": n, "input": a},
        NAMES, some.dictionaries(NAMES, VALUES, max_size=2),
    )
    | some.builds(
        lambda t: {"type": "tool_result", "tool_use_id": "i", "content": t}, TEXT
    ),
    min_size=1, max_size=3,
)  # fmt: skip
CALLS = some.lists(
    some.builds(
        lambda n, a, flat, text: (
            {"name": n, "arguments": json.dumps(a) if text else a}
            if flat
            else {"id": "c", "function": {"name": n, "arguments": a}}
        ),
        NAMES, some.dictionaries(NAMES, VALUES, max_size=2), some.booleans(),
        some.booleans(),
    ),
    min_size=1, max_size=2,
)  # fmt: skip
MORE_OF_A_MESSAGE = some.fixed_dictionaries(
    {},
    optional={
        "reasoning_content": TEXT, "thinking": TEXT, "tool_calls": CALLS, "name": NAMES,
        "weight": some.sampled_from([0, 1, None]), "train": some.booleans(),
        "refusal": TEXT, "timestamp": VALUES, "text": TEXT, "extra": VALUES,
    },
)  # fmt: skip


def message(role: str):
    content = TEXT | PARTS
    plain = some.builds(
        lambda text, more: {"role": role, "content": text, **more},
        content, some.just({}) | MORE_OF_A_MESSAGE,
    )  # fmt: skip
    share = some.builds(lambda text: {"from": role, "value": text}, TEXT)
    return plain | share


CHAT = some.lists(
    some.tuples(message("user"), message("assistant") | message("Assistant")),
    min_size=1, max_size=2,
).map(lambda pairs: [m for pair in pairs for m in pair])  # fmt: skip
TEXTS = some.lists(TEXT, min_size=2, max_size=2)
MESSAGES = CHAT | TEXTS | CHAT.map(json.dumps)
TOOLS = some.lists(
    some.builds(
        lambda n, d, flat: (
            {"name": n, "description": d}
            if flat
            else {"type": "function", "function": {"name": n, "description": d}}
        ),
        NAMES, TEXT, some.booleans(),
    ),
    min_size=1, max_size=2,
)  # fmt: skip
BY_PART = {
    Part.SYSTEM: TEXT | some.builds(lambda t: [{"text": t}], TEXT) | VALUES,
    Part.MESSAGES: MESSAGES,
    Part.HISTORY: some.lists(TEXTS, max_size=2) | CHAT,
    Part.QUESTION: TEXT,
    Part.CONTEXT: TEXT | some.lists(some.dictionaries(NAMES, TEXT, max_size=2)),
    Part.REASONING: TEXT,
    Part.ANSWER: TEXT,
    Part.TEXT: TEXT,
    Part.CHOSEN: TEXT,
    Part.REJECTED: TEXT,
    Part.LABEL: some.booleans() | TEXT,
    Part.TOOLS: TOOLS | TOOLS.map(json.dumps),
    Part.CONVERSATION: TEXT,
    Part.WEIGHT: some.sampled_from([1, True, None]),
    Part.MEDIA: some.sampled_from([None, []]),
    Part.ID: TEXT,
    Part.PARENT: some.none(),
    Part.ROLE: some.just("assistant"),
    Part.CONTENT: TEXT,
}


@some.composite
def rows(draw, format: Format):
    """A row with the keys of a format, some that it may have, and foreign ones."""
    row = {}
    for part, names in format.needs:
        value = draw(some.booleans()) if part is Part.LABEL else draw(BY_PART[part])
        if format.lists_only and part is Part.CHOSEN:
            value = draw(TEXTS)
        if format.lists_only and part is Part.MESSAGES:
            value = draw(TEXTS)
        row[draw(some.sampled_from(names))] = value
    for key in draw(some.lists(some.sampled_from(sorted(format.plays)), max_size=3)):
        row.setdefault(key, draw(BY_PART[format.plays[key]]))
    foreign = draw(some.dictionaries(NAMES, VALUES, max_size=3))
    items = [*row.items(), *foreign.items()]
    return dict(draw(some.permutations(items)))


def texts(value, path=""):
    """Every text of a value with the place where it stands; JSON text is opened."""
    if isinstance(value, dict):
        for key, held in value.items():
            if key not in ROLE_KEYS:
                yield from texts(held, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for held in value:
            yield from texts(held, f"{path}[]")
    elif isinstance(value, str):
        opened = _opened(value)
        if opened is value:
            yield path, value
        else:
            yield from texts(opened, path)


def _opened(value: str):
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, list | dict) else value


def is_named(path: str, unused: list[str]) -> bool:
    """Whether a warning names the key itself, or one that it stands in."""
    place = f"{general(path)}.".replace("[]", "")
    return any(place.startswith(f"{name}.".replace("[]", "")) for name in unused)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(some.sampled_from(FORMATS).flatmap(lambda f: some.tuples(some.just(f), rows(f))))
def test_every_text_is_in_the_example_or_its_key_is_named(made):
    format, row = made
    reader = RowReader()
    reads = list(reader.read_all([(1, json.dumps(row).encode())]))
    faults = [fault for read in reads for fault in read.faults]
    examples = [example for read in reads for example in read.examples]
    if any(fault.is_error for fault in faults) or not examples:
        assert faults, row
        event(f"refused: {faults[0].kind}")
        return
    event("read")
    kept = [text for one in examples for _, text in texts(json.loads(row_bytes(one)))]
    unused = [name for read in reads for name in read.unused]
    identities = {row.get(k) for k, p in format.plays.items() if p is Part.CONVERSATION}
    for path, text in texts(row):
        is_kept = any(text in other for other in kept)
        assert is_kept or text in identities or is_named(path, unused), (path, text)


def test_every_part_that_is_declared_has_values_here():
    assert set(EVERYWHERE.values()) <= set(BY_PART)
