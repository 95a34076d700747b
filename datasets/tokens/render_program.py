"""A program of its own: renders chats by a model's chat template, and locates answers.

A chat template comes with a model and is a program: `{{ 9**99999999 }}` never ends, and
no thread of the console could be freed from it. Here it ends with this process: by a
clock of its own, by a limit of memory, and by whoever asked and got no answer.

Frames on standard input and output are a length of four bytes and MessagePack. Asked is
(folder, version, ends of turns, rows); answered, in one or more frames, is a list with
(text, spans, prefix stable, refusal, what is not printed) for each row.
"""

import resource
import signal
import struct
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from datasets.tokens.chat_template import ChatTemplate
from training.trainer import printed
from training.trainer.labels import CannotRender, Located, Template, locate

LENGTH = struct.Struct("<I")
ROW_SECONDS = 2.0
HANGING_SECONDS = 20
MAX_MEMORY_BYTES = 1536 * 1024**2
FEWEST_CHARACTERS, CHARACTERS_A_BYTE = 1_000_000, 16
FLUSH_SECONDS, FLUSH_CHARACTERS = 0.2, 500_000

LONGEST_WORDS = 500
SLOW = f"it takes longer than {ROW_SECONDS:.0f} s"
Model = tuple[str, str, tuple[str, ...]]
Answer = tuple[str, list[tuple[int, int]], bool, str, list[str]]
_decode = msgspec.json.Decoder().decode


class TooSlow(BaseException):
    """The row's time is up. No Exception, so that no template catches it."""


def main() -> None:
    """Answer until standard input ends; an empty answer says that it began."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _time_is_up)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    _send(target, [])
    while header := source.read(LENGTH.size):
        asked = msgspec.msgpack.decode(source.read(*LENGTH.unpack(header)))
        folder, version, ends, rows = asked
        _answer(target, (folder, version, tuple(ends)), rows)


def _answer(target: BinaryIO, model: Model, rows: list[bytes]) -> None:
    answers: list[Answer] = []
    written, since = 0, time.monotonic()
    for row in rows:
        _end_when_hanging()
        answers.append(_located(model, row))
        written += len(answers[-1][0])
        late = time.monotonic() - since > FLUSH_SECONDS
        if late or written > FLUSH_CHARACTERS:
            _send(target, answers)
            answers, written, since = [], 0, time.monotonic()
    if answers:
        _send(target, answers)


def _send(target: BinaryIO, answers: list[Answer]) -> None:
    frame = msgspec.msgpack.encode(answers)
    target.write(LENGTH.pack(len(frame)) + frame)
    target.flush()


def _located(model: Model, row: bytes) -> Answer:
    """What a row becomes; a refusal in the template's words, or in ours."""
    try:
        signal.setitimer(signal.ITIMER_REAL, ROW_SECONDS)
        try:
            value = _decode(row)
            template = _template(model, len(row))
            return located(value, template)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TooSlow:
        return _refused(SLOW)
    except CannotRender as error:
        return _refused(str(error) or "it refuses without a word")
    except MemoryError:
        return _refused("it takes more memory than a template is given")
    except Exception as error:
        return _refused(f"{type(error).__name__}: {error}")


def located(row: dict[str, Any], template: Template) -> Answer:
    """A row as text, with what of it is learned and what is missing.

    Raises CannotRender, and whatever else a template raises.
    """
    found = locate(row["messages"], template, row.get("tools"))
    missing = _missing(row, found, template.ends)
    return found.text, found.spans, found.prefix_stable, "", missing


def _missing(row: dict[str, Any], found: Located, ends: tuple[str, ...]) -> list[str]:
    """What the template leaves out of a row, or does otherwise than in use."""
    spans = dict(zip(found.answers, found.spans, strict=True))
    spans |= dict.fromkeys(found.silent, (0, 0))
    kinds = printed.unprinted(row["messages"], row.get("tools"), found.text, spans)
    if not all(found.text.endswith(ends, 0, end) for _, end in found.spans):
        kinds.add(printed.END)
    if not found.prompted:
        kinds.add(printed.PROMPT)
    if printed.spells_special(row["messages"], ends):
        kinds.add(printed.SPECIAL)
    return sorted(kinds)


def _template(model: Model, row_bytes: int) -> Template:
    chat, template = _compiled(model)
    chat.most_characters = max(FEWEST_CHARACTERS, CHARACTERS_A_BYTE * row_bytes)
    return template


@lru_cache(maxsize=8)
def _compiled(model: Model) -> tuple[ChatTemplate, Template]:
    folder, _, ends = model
    chat = ChatTemplate(Path(folder))
    return chat, Template(
        render=chat.render,
        encode=_no_tokens,
        ends=ends,
        trace=chat.trace,
        opens=chat.opens,
        closes=chat.closes,
    )


def _no_tokens(text: str) -> tuple[list[int], list[tuple[int, int]]]:
    raise NotImplementedError("Tokens are counted by whoever asked.")


def _refused(words: str) -> Answer:
    said = words.encode("utf-8", "replace").decode()[:LONGEST_WORDS]
    return "", [], True, said, []


def _time_is_up(number: int, frame: Any) -> None:
    raise TooSlow


def _end_when_hanging() -> None:
    """If whoever asked is gone, nobody ends what no clock of Python's can."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + HANGING_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
