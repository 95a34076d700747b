"""Rows of known kinds that are not read, by their own names."""

from typing import Any

from datasets.domain.faults import Fault

BATCH = (
    "an OpenAI batch file (custom_id, body). Upload the messages inside `body`, with "
    "the answers that came back"
)
TREE = (
    "an OpenAssistant tree (prompt with replies). Export one conversation a row, as "
    "messages: the path from the prompt to the reply that you want to train on"
)
FLAT_TREE = (
    "OpenAssistant's messages of trees (message_id, parent_id). Export one "
    "conversation a row, as messages"
)
BEDROCK_LOG = "a log of model calls. Upload the messages of each call with its answer"
SPLIT = (
    "pandas' orient='split' (columns, index, data). Export with "
    "df.to_json(..., orient='records', lines=True)"
)


def refused_by_name(line: int, row: dict[str, Any]) -> Fault | None:
    """The error for a row of a kind that is known, but not read."""
    words = _words(row)
    if words is None:
        return None
    return Fault(kind="known_unread", line=line, found=words)


def _words(row: dict[str, Any]) -> str | None:
    held = row.get("body") or row.get("response")
    if "custom_id" in row and isinstance(held, dict):
        return BATCH
    prompt = row.get("prompt")
    if "message_tree_id" in row and isinstance(prompt, dict):
        return TREE
    if isinstance(prompt, dict) and "replies" in prompt:
        return TREE
    if {"message_id", "parent_id", "role"} <= row.keys():
        return FLAT_TREE
    if "modelInput" in row and "modelOutput" in row:
        return BEDROCK_LOG
    if {"columns", "data"} <= row.keys() and isinstance(row["columns"], list):
        return SPLIT
    return None


def is_columns(row: dict[str, Any]) -> bool:
    """Whether an object holds columns: several lists, or objects, of equal length."""
    held = list(row.values())
    if len(held) < 2 or not held[0]:
        return False
    kind = type(held[0])
    if kind not in (list, dict) or any(type(column) is not kind for column in held):
        return False
    sizes = {len(column) for column in held}
    if len(sizes) != 1:
        return False
    if kind is dict:
        return all(column.keys() == held[0].keys() for column in held)
    return all(not isinstance(cell, dict) for column in held for cell in column[:3])


def columns_as_rows(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an object of columns."""
    columns = [
        list(column.values()) if isinstance(column, dict) else column
        for column in row.values()
    ]
    return [
        dict(zip(row.keys(), cells, strict=True))
        for cells in zip(*columns, strict=True)
    ]


def current_branch(row: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The messages of ChatGPT's own export, along its current branch."""
    nodes, node = row.get("mapping"), row.get("current_node")
    if not isinstance(nodes, dict) or not nodes:
        return None
    if not all(isinstance(n, dict) and "message" in n for n in nodes.values()):
        return None
    if node is None:
        node = next((k for k, n in nodes.items() if not n.get("children")), None)
    branch: list[dict[str, Any]] = []
    seen: set[Any] = set()
    while isinstance(node, str) and node in nodes and node not in seen:
        seen.add(node)
        if isinstance(nodes[node].get("message"), dict):
            branch.append(nodes[node]["message"])
        node = nodes[node].get("parent")
    return [message for message in reversed(branch) if _is_said(message)]


def _is_said(message: dict[str, Any]) -> bool:
    """Whether a message of the export shows anything; many are bookkeeping."""
    content = message.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return isinstance(parts, list) and any(part not in ("", None) for part in parts)
