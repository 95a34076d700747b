"""Examples as they are kept in the database for pages to show."""

from typing import Any

import msgspec

from datasets.domain.faults import clean
from datasets.domain.formats.turns import Example

SAMPLE_CHARACTERS = 2000


def sample_of(example: Example) -> dict[str, Any]:
    """An example as its dataset's page shows it."""
    found: dict[str, Any] = {"messages": [storable(m) for m in example.messages]}
    if example.tools:
        names = [tool.get("function", {}).get("name", "") for tool in example.tools]
        found["tools"] = [clean(str(name)[:100]) for name in names][:20]
    if example.rejected is not None:
        found["rejected"] = [storable(m) for m in example.rejected]
    if example.label is not None:
        found["label"] = example.label
    return found


def storable(message: dict[str, Any]) -> dict[str, Any]:
    """A message shortened and cleaned for the database; tool calls as text."""
    kept = {k: v for k, v in message.items() if k in ("role", "weight", "content")}
    if calls := message.get("tool_calls"):
        kept["tool_calls"] = clean(msgspec.json.encode(calls).decode())[
            :SAMPLE_CHARACTERS
        ]
    if reasoning := message.get("reasoning_content"):
        kept["reasoning_content"] = clean(reasoning)[:SAMPLE_CHARACTERS]
    return kept | {"content": clean(message["content"])[:SAMPLE_CHARACTERS]}
