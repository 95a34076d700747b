"""The supported row formats, each declared once: which key plays which part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets.domain.formats.parts import (
    DISLIKED,
    EVERYWHERE,
    LABELS,
    PREFERRED,
    WORDS,
    Part,
    folded,
)

Row = dict[str, Any]
Need = tuple[Part, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A row format.

    A row has it when, for every entry of `needs`, it has one of the keys; the first of
    these that the row has is used. `may` are further keys of its own. All other keys
    play the part that they play everywhere, or none. `preference` is `pair` where a row
    has a preferred and a rejected answer, `label` where it says whether its answer is
    good, else empty.
    """

    name: str
    title: str
    needs: tuple[Need, ...]
    may: tuple[Need, ...] = ()
    preference: str = ""
    lists_only: frozenset[str] = frozenset()
    by_hand: bool = False
    plays: Mapping[str, Part] = field(init=False)
    ranks: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        own = {key: part for part, names in (*self.needs, *self.may) for key in names}
        others = {} if self.by_hand else EVERYWHERE
        object.__setattr__(self, "plays", {**others, **own})
        order = [*own, *(key for key in others if key not in own)]
        object.__setattr__(self, "ranks", {key: n for n, key in enumerate(order)})

    @property
    def words(self) -> str:
        """Its keys, the usual ones, as people are told."""
        return ", ".join(" or ".join(names[:2]) for _, names in self.needs)

    def fits(self, row: Row, *, filled: bool) -> bool:
        """Whether a row has its keys; `filled`: none of them null."""
        has = {folded(k): v for k, v in row.items() if v is not None or not filled}
        for part, names in self.needs:
            values = [has[name] for name in names if name in has]
            if not values or (part is Part.LABEL and truth(values[0]) is None):
                return False
        return all(isinstance(has[name], list) for name in self.lists_only)


SYSTEM = ("system", "system_prompt")
ANSWERS = ("completion", "response", "output", "answer", "target")
CHOSEN, REJECTED = (Part.CHOSEN, PREFERRED), (Part.REJECTED, DISLIKED)
LABEL = (Part.LABEL, LABELS)
# The answer to messages that end with a question.
BESIDE: tuple[Need, ...] = ((Part.ANSWER, ("response", "answer", "completion")),)
CHAINED: tuple[Need, ...] = ((Part.PARENT, ("parent_id",)), (Part.ID, ("id",)))
QUESTIONS = ("prompt", "question", "instruction", "query")


def _messages(key: str) -> Need:
    return Part.MESSAGES, (key,)


def _question(*names: str) -> Need:
    return Part.QUESTION, names


def _answer(*names: str) -> Need:
    return Part.ANSWER, names or ANSWERS


# In the order in which they are tried.
FORMATS = (
    Format(
        name="brightrun",
        title="BrightRun",
        needs=(_question("current_user_input"), _answer("target_response")),
        may=((Part.HISTORY, ("conversation_history",)),),
    ),
    Format(
        name="openai_preference",
        title="OpenAI preference pairs",
        needs=(
            _messages("input"),
            (Part.CHOSEN, ("preferred_output",)),
            (Part.REJECTED, ("non_preferred_output",)),
        ),
        preference="pair",
    ),
    Format(
        name="sharegpt_preference",
        title="ShareGPT preference pairs",
        needs=(_messages("conversations"), CHOSEN, REJECTED),
        preference="pair",
    ),
    Format(
        name="messages_preference",
        title="messages with a rejected answer",
        needs=(_messages("messages"), REJECTED),
        may=(CHOSEN,),
        preference="pair",
    ),
    Format(
        name="preference",
        title="preference pairs",
        needs=(_question(*QUESTIONS), CHOSEN, REJECTED),
        preference="pair",
    ),
    Format(
        name="preference_responses",
        title="an answer with a rejected one",
        needs=(_question(*QUESTIONS), (Part.CHOSEN, ANSWERS), REJECTED),
        preference="pair",
    ),
    Format(
        name="preference_chats",
        title="preference pairs of whole chats",
        needs=(CHOSEN, REJECTED),
        preference="pair",
    ),
    Format(
        name="preference_outputs",
        title="preference pairs as a list of two outputs",
        needs=(_question("instruction"), (Part.CHOSEN, ("output",))),
        preference="pair",
        lists_only=frozenset({"output"}),
    ),
    Format(
        name="kto_messages",
        title="KTO: messages marked good or bad",
        needs=((Part.MESSAGES, ("messages", "conversations")), LABEL),
        may=BESIDE,
        preference="label",
    ),
    Format(
        name="kto",
        title="KTO: answers marked good or bad",
        needs=(_question(*QUESTIONS, "input"), _answer(), LABEL),
        preference="label",
    ),
    Format(
        name="openai_chat",
        title="OpenAI chat",
        needs=(_messages("messages"),),
        may=BESIDE,
    ),
    Format(
        name="sharegpt",
        title="ShareGPT",
        needs=(_messages("conversations"),),
        may=BESIDE,
    ),
    Format(
        name="turns",
        title="conversation_id and turns",
        needs=(_messages("turns"),),
        may=BESIDE,
    ),
    Format(
        name="conversation",
        title="LMSYS, WildChat: conversation",
        needs=((Part.MESSAGES, ("conversation", "dialogue", "dialog", "chat")),),
        may=BESIDE,
    ),
    Format(name="gemini", title="Gemini contents", needs=(_messages("contents"),)),
    Format(
        name="texts",
        title="UltraChat: alternating texts",
        needs=(_messages("data"),),
        lists_only=frozenset({"data"}),
    ),
    Format(
        name="prompt_completion",
        title="prompt and completion",
        needs=(_question("prompt"), _answer()),
        may=CHAINED,
    ),
    Format(
        name="instruction",
        title="instruction, input and output",
        needs=(
            _question("instruction"),
            _answer("output", "response", "completion", "answer", "target"),
        ),
        may=CHAINED,
    ),
    Format(
        name="question_answer",
        title="question and answer",
        needs=(
            _question("question", "query", "problem"),
            _answer("answer", "response", "output", "completion", "solution", "target"),
        ),
        may=CHAINED,
    ),
    Format(
        name="input_output",
        title="input and output",
        needs=(_question("input"), _answer(*ANSWERS, "ideal")),
    ),
    Format(
        name="human_assistant",
        title="human and assistant",
        needs=(_question("human", "user"), _answer("assistant", "bot", "gpt", "model")),
    ),
    Format(
        name="message_rows",
        title="one message a row",
        needs=(
            (Part.CONVERSATION, ("conversation_id", "chat_id", "session_id")),
            (Part.ROLE, ("role", "from", "speaker")),
            (Part.CONTENT, ("content", "value", "text", "message")),
        ),
    ),
    Format(
        name="message_response",
        title="Cohere: message and response",
        needs=(_question("message"), _answer("response", "reply", "answer")),
    ),
    Format(name="text", title="plain text", needs=((Part.TEXT, ("text",)),)),
)
BY_NAME = {found.name: found for found in FORMATS}
BARE = BY_NAME["openai_chat"]
TRUTHS = {
    "true": True, "1": True, "good": True, "chosen": True, "desirable": True,
    "preferred": True, "accepted": True, "false": False, "0": False, "bad": False,
    "rejected": False, "undesirable": False, "dispreferred": False,
}  # fmt: skip
CHAT_KEY = "messages"
SHOWN_NAMES = 4
# What may stand beside `text` without being a target to learn.
BESIDE_TEXT = frozenset({
    "id", "uuid", "url", "source", "title", "meta", "metadata", "timestamp", "date",
    "created", "added", "lang", "language", "language_score", "score", "dump",
    "file", "file_path", "path", "filename", "subset", "split", "license", "author",
    "token_count", "tokens", "length", "index", "__index_level_0__", "unnamed:_0", "",
})  # fmt: skip
PARTS_OF_TEXT = {Part.TEXT, Part.CONVERSATION, Part.WEIGHT, Part.MEDIA}
IGNORED = "ignore"


def detect(row: Row) -> Format | None:
    """The first format whose keys the row has; filled ones before null ones."""
    for filled in (True, False):
        for found in FORMATS:
            if found.fits(row, filled=filled) and not is_labelled_text(row, found):
                return found
    return None


def is_labelled_text(row: Row, found: Format) -> bool:
    """Text with something to be learned beside it, which is no plain text."""
    return found.name == "text" and any(
        folded(key) not in BESIDE_TEXT
        and found.plays.get(folded(key)) not in PARTS_OF_TEXT
        for key, value in row.items()
        if value is not None
    )


def truth(value: Any) -> bool | None:
    """Whether a label says good or bad; None when it says something else."""
    if isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return TRUTHS.get(value.strip().casefold())
    return None


COMMON = (
    "openai_chat",
    "sharegpt",
    "prompt_completion",
    "instruction",
    "question_answer",
    "text",
)


def known() -> str:
    """The commonest formats, for an error that is read a hundred times in a row."""
    named = "; ".join(f"{f.title}: {f.words}" for f in FORMATS if f.name in COMMON)
    return f"{named}; and {len(FORMATS) - len(COMMON)} more, listed on the upload page"


COLUMNS = frozenset(
    name for found in FORMATS for _, names in found.needs for name in names
)


def format_table() -> str:
    """All formats as a table for the documentation: Markdown, a line each."""
    lines = ["| format | a row has |", "|---|---|"]
    lines += [f"| {f.title} | {_listed(f.needs)} |" for f in FORMATS]
    return "\n".join(lines)


def key_table() -> str:
    """The keys that mean the same in every format, as a table for the documentation."""
    lines = ["| part | keys |", "|---|---|"]
    for part in dict.fromkeys(EVERYWHERE.values()):
        names = [name for name, other in EVERYWHERE.items() if other is part]
        lines.append(f"| {WORDS[part]} | {', '.join(f'`{n}`' for n in names)} |")
    return "\n".join(lines)


def _listed(needs: tuple[Need, ...]) -> str:
    return ", ".join(
        " or ".join(f"`{name}`" for name in names[:SHOWN_NAMES]) for _, names in needs
    )
