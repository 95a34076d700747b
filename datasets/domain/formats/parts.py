"""The parts that a key of a row can play, and the keys that play one everywhere."""

from collections.abc import Iterable
from enum import StrEnum


class Part(StrEnum):
    """What the value of a key is for."""

    SYSTEM = "system"
    MESSAGES = "messages"
    HISTORY = "history"
    QUESTION = "question"
    CONTEXT = "context"
    REASONING = "reasoning"
    ANSWER = "answer"
    TEXT = "text"
    CHOSEN = "chosen"
    REJECTED = "rejected"
    LABEL = "label"
    TOOLS = "tools"
    CONVERSATION = "conversation"
    WEIGHT = "weight"
    MEDIA = "media"
    ID = "id"
    PARENT = "parent"
    ROLE = "role"
    CONTENT = "content"


WORDS: dict[Part, str] = {
    Part.SYSTEM: "system prompt",
    Part.MESSAGES: "list of messages",
    Part.HISTORY: "earlier turns, context only",
    Part.QUESTION: "question or instruction",
    Part.CONTEXT: "input or context, put below the question",
    Part.REASONING: "reasoning before the answer",
    Part.ANSWER: "answer, trained on",
    Part.TEXT: "plain text, all of it trained on",
    Part.CHOSEN: "preferred answer",
    Part.REJECTED: "rejected answer",
    Part.LABEL: "whether the answer is good",
    Part.TOOLS: "tool definitions",
    Part.CONVERSATION: "conversation id",
    Part.WEIGHT: "1 trains on the row, 0 leaves it out",
    Part.MEDIA: "images, audio or video: refused",
    Part.ID: "id of the row",
    Part.PARENT: "id of the row before",
    Part.ROLE: "who speaks",
    Part.CONTENT: "what is said",
}
CHOOSABLE = (
    Part.SYSTEM, Part.MESSAGES, Part.HISTORY, Part.QUESTION, Part.CONTEXT,
    Part.REASONING, Part.ANSWER, Part.TEXT, Part.CHOSEN, Part.REJECTED, Part.LABEL,
    Part.TOOLS, Part.CONVERSATION, Part.WEIGHT,
)  # fmt: skip

LABELS = (
    "label", "kto_tag", "kto_label", "desirable", "is_desirable", "is_good",
    "is_chosen", "is_preferred", "thumbs_up", "liked",
)  # fmt: skip
PREFERRED = (
    "chosen", "preferred_output", "chosen_response", "chosen_answer", "accepted",
    "preferred", "preferred_response",
)  # fmt: skip
DISLIKED = (
    "rejected", "rejected_response", "rejected_messages", "rejected_answer",
    "rejected_output", "non_preferred_output", "dispreferred",
)  # fmt: skip
# The same in every format; a format's own keys go before them.
EVERYWHERE: dict[str, Part] = {
    "system": Part.SYSTEM,
    "system_prompt": Part.SYSTEM,
    "system_message": Part.SYSTEM,
    "systeminstruction": Part.SYSTEM,
    "system_instruction": Part.SYSTEM,
    "systemprompt": Part.SYSTEM,
    "preamble": Part.SYSTEM,
    "history": Part.HISTORY,
    "chat_history": Part.HISTORY,
    "context": Part.CONTEXT,
    "input": Part.CONTEXT,
    "documents": Part.CONTEXT,
    "reasoning_content": Part.REASONING,
    "reasoning": Part.REASONING,
    "thinking": Part.REASONING,
    "label": Part.LABEL,
    **dict.fromkeys(LABELS[1:], Part.LABEL),
    "tools": Part.TOOLS,
    "functions": Part.TOOLS,
    "toolconfig": Part.TOOLS,
    "tool_config": Part.TOOLS,
    "conversation_id": Part.CONVERSATION,
    "weight": Part.WEIGHT,
    "loss": Part.WEIGHT,
    "loss_weight": Part.WEIGHT,
    "train": Part.WEIGHT,
    **dict.fromkeys(PREFERRED, Part.CHOSEN),
    **dict.fromkeys(DISLIKED, Part.REJECTED),
    "image": Part.MEDIA,
    "images": Part.MEDIA,
    "audio": Part.MEDIA,
    "audios": Part.MEDIA,
    "video": Part.MEDIA,
    "videos": Part.MEDIA,
}
# Named in a warning like any unused key, and in stronger words.
CHANGES_MEANING = frozenset({
    *EVERYWHERE, "chat_template_kwargs", "response", "answer", "output", "completion",
    "parent_id", "truncated_cells",
})  # fmt: skip

_known: dict[str, str] = {}
MOST_KNOWN = 10_000


def changes_meaning(key: str) -> bool:
    """Whether a row or message without this key means something else."""
    return folded(key.rpartition(".")[2]) in CHANGES_MEANING


def folded(key: str) -> str:
    """A key as declarations spell it: lower case, spaces and hyphens as underscores."""
    found = _known.get(key)
    if found is None:
        found = key.strip().casefold().replace(" ", "_").replace("-", "_")
        if len(_known) < MOST_KNOWN and len(key) < 100:
            _known[key] = found
    return found


MEANS_MORE = (
    "Without it the rows mean something else: put what it says into the messages, "
    "or say which column is what."
)


def notes_of(names: Iterable[str]) -> dict[str, str]:
    """The advice for keys that change what a row means."""
    return {name: MEANS_MORE for name in names if changes_meaning(name)}
