"""Files that cannot be read at all, or hold nothing to learn from."""

import gzip
import io
import zipfile
from typing import Any

from tests.datasets.checking.corpus.cases import (
    GOOD,
    Case,
    chat,
    document,
    fault,
    lines,
    packed,
    parquet,
    table,
)
from tests.datasets.checking.corpus.valid import BRIGHT, BRIGHT_DOCUMENT, BRIGHT_UNUSED


def refused(name: str, content: bytes, *faults: tuple, **expected: Any) -> Case:
    nothing = {"format": "", "container": ""}
    return Case(name=name, content=content, faults=faults, **(nothing | expected))


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.jsonl", lines(GOOD))
    return out.getvalue()


def bomb() -> bytes:
    """Half a GiB of one row in half a MiB."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=9) as file:
        file.write(lines(GOOD))
        for _ in range(512):
            file.write(b" " * 1024 * 1024)
    return out.getvalue()


BROKEN_FILES = [
    refused("only whitespace", b" \n\n\t ", fault("empty_file")),
    refused("only a byte order mark", b"\xef\xbb\xbf", fault("empty_file")),
    refused("an empty array", b"[]", fault("empty_file"), container="json"),
    refused("plain words", b"Once upon a time\nthere was a lamp.\n",
            fault("unknown_format", None, "", "'Once upon a time'")),
    refused("a CSV of other columns", table(["a", "b"], ["1", "2"]),
            fault("unknown_format", 2, "", "prompt and completion"), container="csv"),
    refused("rows of no known format", lines({"frage": "a", "antwort": "b"}),
            fault("unknown_format", 1, "", "'frage', 'antwort'"), container="jsonl"),
    refused("preferences without a question", lines({"chosen": "a", "rejected": "b"}),
            fault("no_pair", 1, "", "no question"),
            container="jsonl", format="preference_chats"),
    refused("an array of numbers", b"[1, 2]", fault("unknown_format", 1, "", "number 1"),
            fault("unknown_format", 1, "", "number 2"),
            container="json"),
    refused("a zip archive", zipped(), fault("archive", None, "", "zip")),
    refused("a 7z archive", b"7z\xbc\xaf\x27\x1c\x00\x04", fault("archive", None, "", "7z")),
    refused("bzip2", b"BZh91AY", fault("archive", None, "", "bzip2")),
    refused("a PDF", b"%PDF-1.7\n", fault("archive", None, "", "PDF")),
    refused("UTF-16", "{}".encode("utf-16"), fault("utf16")),
    refused("UTF-16 without mark", '{"a": 1}'.encode("utf-16-le"), fault("utf16")),
    refused("gzip in gzip", packed(packed(lines(GOOD))), fault("nested_gzip")),
    refused("half a gzip file", packed(lines(*[{"n": n} for n in range(5000)]))[:50],
            fault("broken_gzip")),
    refused("gzip that breaks later", packed(lines(*[GOOD | {"n": n} for n in range(40_000)]))[:-400],
            fault("broken_gzip"), container="jsonl.gz", format="openai_chat", unused=("n",)),
    refused("only a gzip header", b"\x1f\x8b\x08\x00", fault("broken_gzip")),
    refused("a gzip bomb", bomb(), fault("unpacks_too_large", None, "", "more than"),
            container="jsonl.gz", format="openai_chat"),
    refused("Parquet without its end", parquet(GOOD)[:-20], fault("broken_parquet"),
            container="parquet"),
    refused("Parquet in name only", b"PAR1" + b"\xff" * 100 + b"PAR1",
            fault("broken_parquet"), container="parquet"),
    refused("an array that is cut off", document([GOOD, GOOD])[:-30],
            fault("broken_json", 22), container="json", format="openai_chat"),
    refused("an array that is not closed", b"[" + lines(GOOD),
            fault("broken_json", 2, "", "truncated"),
            container="json", format="openai_chat"),
    refused("words between rows", b'[{"messages": 1}, lamp, {}]',
            fault("no_messages", 1, "messages"), fault("broken_json", 1, "", "column 19"),
            container="json", format="openai_chat"),
    refused("a row of 11 MB in a document",
            b'[{"messages": "' + b"x" * 11_000_000 + b'"},\n' + lines(GOOD) + b"]",
            fault("row_too_long", 1), container="json", format="openai_chat"),
    refused("a document 10 000 levels deep", b"[" * 10_000 + b"]" * 10_000,
            fault("too_deep", 1), container="json"),
    refused("only rows without target", lines(BRIGHT | {"target_response": None}),
            fault("no_target", 1), fault("empty_file"),
            container="jsonl", format="brightrun"),
    refused("a conversation without pairs",
            document({"conversations": [*BRIGHT_DOCUMENT["conversations"], {"a": 1}]}),
            fault("missing_field", 43, "current_user_input"),
            container="json", format="brightrun", unused=BRIGHT_UNUSED),
    refused("CSV without rows", table(["prompt", "completion"]), fault("empty_file"),
            container="csv"),
    refused("only the first line of BrightRun", lines({"_meta": {}}),
            fault("empty_file"), container="jsonl"),
    refused("a million blank lines", lines(GOOD) + b"\n" * 1_000_001,
            fault("blank_lines", 1_000_002), container="jsonl", format="openai_chat"),
    refused("random bytes", bytes(range(128, 256)), fault("unknown_format")),
    refused("only a system message", lines(chat({"role": "system", "content": "a"})),
            fault("no_answer", 1), container="jsonl", format="openai_chat"),
]  # fmt: skip
