"""Conversations over several rows: one message a row, or a parent named by its id."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from datasets.domain.faults import Fault, shown
from datasets.domain.formats.assemble import Read, conversation_name, read_parts
from datasets.domain.formats.declared import BARE, CHAT_KEY, Format
from datasets.domain.formats.fields import Fields
from datasets.domain.formats.parts import Part

MOST_MESSAGES = 10_000
MOST_ENDED = 300_000
KEPT_PARENTS_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class MessageRows:
    """Puts rows of one message each together, by their conversation's id.

    Rows of a conversation have to stand together: a file of any size is read in one
    pass. One that comes back later is an error, for the first 300 000 conversations.
    """

    name: str | None = None
    line: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    tools: Any = None
    ended: set[int] = field(default_factory=set)

    def add(self, line: int, row: dict[str, Any], format: Format) -> Read:
        """Take a row; gives the example of the conversation that ended before it."""
        fields = Fields(row, format)
        identity = fields.take(Part.CONVERSATION)
        name = conversation_name(identity.value) if identity else None
        if name is None:
            found = shown(identity.value if identity else None)
            fault = Fault(kind="no_conversation", line=line, found=found)
            return Read(faults=[fault])
        read = self.finish() if name != self.name else Read()
        if name != self.name:
            if hash(name) in self.ended:
                found = f"conversation {name!r} began before and ended"
                read.faults.append(Fault(kind="not_together", line=line, found=found))
            self.name, self.line = name, line
        role, content = fields.take(Part.ROLE), fields.take(Part.CONTENT)
        tools = fields.take(Part.TOOLS)
        self.tools = tools.value if tools and tools.value else self.tools
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(
                {"role": role and role.value, "content": content and content.value}
                | self._more(fields)
            )
        else:
            words = f"over {MOST_MESSAGES:,} messages"
            read.faults.append(Fault(kind="row_too_long", line=line, found=words))
        read.unused += fields.unused()
        return read

    @staticmethod
    def _more(fields: Fields) -> dict[str, Any]:
        found = {}
        for part, name in ((Part.WEIGHT, "weight"), (Part.REASONING, "reasoning")):
            if (taken := fields.take(part)) is not None:
                found[name] = taken.value
        return found

    def finish(self) -> Read:
        """The example of the conversation that is still open."""
        if self.name is None:
            return Read()
        row: dict[str, Any] = {
            CHAT_KEY: self.messages, "conversation_id": self.name, "tools": self.tools
        }  # fmt: skip
        if len(self.ended) < MOST_ENDED:
            self.ended.add(hash(self.name))
        self.name, self.messages, self.tools = None, [], None
        return read_parts(self.line, row, BARE)


@dataclass(slots=True)
class Parents:
    """Rows by their id, so that a row that names its parent gets what was said before.

    Keeps the last 32 MB of text: a parent has to stand that near above its children.
    """

    kept: OrderedDict[str, list[list[Any]]] = field(default_factory=OrderedDict)
    roots: dict[str, str] = field(default_factory=dict)
    kept_bytes: int = 0

    def with_history(
        self, line: int, row: dict[str, Any], format: Format
    ) -> tuple[dict[str, Any], Fault | None]:
        """The row with its parents' turns as its history, and as one conversation."""
        fields = Fields(row, format)
        parent, own = fields.take(Part.PARENT), fields.take(Part.ID)
        if parent is None or own is None:
            return row, None
        history: list[list[Any]] = []
        root = str(own.value)
        if parent.value not in (None, ""):
            name = str(parent.value)
            if name not in self.kept:
                found = f"{parent.key} {name!r} names no row above"
                return row, Fault(kind="no_parent", line=line, field=parent.key,
                                  found=found)  # fmt: skip
            history, root = self.kept[name], self.roots[name]
        question, answer = fields.take(Part.QUESTION), fields.take(Part.ANSWER)
        pair = [question and question.value, answer and answer.value]
        self._keep(str(own.value), [*history, pair], root)
        made = {k: v for k, v in row.items() if k not in (own.key, parent.key)}
        return made | {"history": history, "conversation_id": root}, None

    def _keep(self, name: str, turns: list[list[Any]], root: str) -> None:
        self.kept[name], self.roots[name] = turns, root
        self.kept_bytes += _size(turns)
        while self.kept_bytes > KEPT_PARENTS_BYTES and len(self.kept) > 1:
            old, gone = self.kept.popitem(last=False)
            self.roots.pop(old, None)
            self.kept_bytes -= _size(gone)


def _size(turns: list[list[Any]]) -> int:
    return 200 + sum(len(str(said)) for pair in turns for said in pair)
