"""What is asked: the question of a row, with its input, context and documents."""

from dataclasses import dataclass, field, replace
from typing import Any

from datasets.domain.faults import shown
from datasets.domain.formats.calls import decoded
from datasets.domain.formats.content import as_text
from datasets.domain.formats.declared import Format
from datasets.domain.formats.fields import Fields, Found, Value, is_empty
from datasets.domain.formats.messages import read_messages
from datasets.domain.formats.parts import Part, folded
from datasets.domain.formats.turns import Turn
from datasets.domain.formats.written import read_written, spells_template

NO_INPUT = frozenset({"<noinput>", "<no input>", "nan"})


@dataclass(slots=True, kw_only=True)
class Row:
    """A row under way: its fields, its findings, its turns so far."""

    line: int
    format: Format
    fields: Fields
    found: Found
    turns: list[Turn] = field(default_factory=list)
    tools: list[Any] | None = None
    answered: bool = False


def read_question(at: Row) -> None:
    taken = at.fields.take(Part.QUESTION)
    context = _context(at)
    if taken is not None and not context and _read_written_prompt(at, taken):
        return
    if taken is None:
        put_context(at, context)
        return
    value = decoded(taken.value) if is_listed(taken.value) else taken.value
    if isinstance(value, list):
        at.turns += read_messages(value, taken.key, at.found, weight=0)
        put_context(at, context)
        return
    if context and isinstance(value, str):
        value = f"{value}\n\n{context}" if value.strip() else context
    if _repeats(at, value):
        at.turns.pop()
    at.turns.append(Turn(field=taken.key, role="user", content=value))


def _read_written_prompt(at: Row, taken: Value) -> bool:
    """Whether a prompt spells out a chat with its template, which is read as turns."""
    answer = at.fields.take(Part.ANSWER)
    if not isinstance(taken.value, str) or answer is None:
        return False
    if not isinstance(answer.value, str) or not spells_template(taken.value):
        return False
    written = read_written(f"{taken.value}{answer.value}")
    if written is None or not written.turns or written.turns[-1][0] != "assistant":
        return False
    at.found.fault("written_chat", taken.key, written.style)
    *before, last = written.turns
    at.turns += [
        Turn(field=taken.key, role=role, content=said, weight=_context_weight(role))
        for role, said in before
    ]
    at.turns.append(Turn(field=answer.key, role="assistant", content=last[1]))
    at.answered = True
    return True


def _context_weight(role: str) -> int | None:
    return 0 if role == "assistant" else None


def is_listed(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("[{")


def _repeats(at: Row, question: Any) -> bool:
    """BrightRun's history ends with the question that follows."""
    last = at.turns[-1] if at.turns and at.format.name == "brightrun" else None
    if last is None or last.role != "user" or not isinstance(last.content, str):
        return False
    return isinstance(question, str) and last.content.strip() == question.strip()


def _context(at: Row) -> str:
    """Input, context and documents as one text."""
    texts = []
    for key, value in at.fields.take_all(Part.CONTEXT):
        is_input = folded(key) == "input" and not isinstance(value, str)
        text = None if is_input else _context_text(value)
        if text is None:
            at.found.fault("not_text", key, shown(value))
        elif text.strip().casefold() not in NO_INPUT:
            texts.append(text)
            if not isinstance(value, str):
                at.found.fault("context_as_text", key, shown(value))
    return "\n\n".join(text for text in texts if text.strip())


def _context_text(value: Any) -> str | None:
    """A text, or documents: the texts of each one below the other."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(v, dict | str) for v in value):
        return "\n\n".join(_document_text(document) for document in value)
    return None


def _document_text(document: dict[str, Any] | str) -> str:
    if isinstance(document, str):
        return document
    texts = [as_text(held) for held in document.values() if not is_empty(held)]
    return "\n".join(texts)


def put_context(at: Row, context: str) -> None:
    """Context beside a conversation goes below its first question."""
    if not context:
        return
    for number, turn in enumerate(at.turns):
        if turn.role == "user" and isinstance(turn.content, str):
            content = f"{turn.content}\n\n{context}"
            at.turns[number] = replace(turn, content=content)
            return
    at.turns.append(Turn(field="context", role="user", content=context))
