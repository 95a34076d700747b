"""How a case of the corpus is written."""

import csv
import gzip
import io
import json
from dataclasses import dataclass
from typing import Any

QUESTION = {"role": "user", "content": "Which lamp?"}
ANSWER = {"role": "assistant", "content": "The round one."}
SYSTEM = {"role": "system", "content": "You sell lamps."}
GOOD = {"messages": [QUESTION, ANSWER]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file, and what is to be found: `faults` are (kind, line, field, words).

    `words` must stand in the fault's message. `examples` is None where the file is
    refused. `unused` are the keys that are named as such; `rows`, where given, are the
    normalised rows of both splits.
    """

    name: str
    content: bytes
    format: str = "openai_chat"
    container: str = "jsonl"
    examples: int | None = None
    faults: tuple[tuple[str, int | None, str, str], ...] = ()
    unused: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()


def fault(
    kind: str, line: int | None = None, field: str = "", words: str = ""
) -> tuple[str, int | None, str, str]:
    return kind, line, field, words


def lines(*rows: Any) -> bytes:
    """JSON Lines; bytes stay as they are."""
    return b"".join(
        (
            row
            if isinstance(row, bytes)
            else json.dumps(row, ensure_ascii=False).encode()
        )
        + b"\n"
        for row in rows
    )


def chat(*messages: Any, **beside: Any) -> dict[str, Any]:
    return {"messages": list(messages), **beside}


def other(row: dict[str, Any]) -> dict[str, Any]:
    """The same row about something else, so that it is no duplicate."""
    return json.loads(json.dumps(row).replace("amp", "ight"))


def document(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def table(*rows: list[str], delimiter: str = ",", end: str = "\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue().encode()


def parquet(*rows: dict[str, Any]) -> bytes:
    from arro3.io import infer_json_schema, read_json, write_parquet

    plain = io.BytesIO(lines(*rows))
    schema = infer_json_schema(plain)
    plain.seek(0)
    out = io.BytesIO()
    write_parquet(read_json(plain, schema), out)
    return out.getvalue()


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
