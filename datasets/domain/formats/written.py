"""Chats that were written out into one text, read back as turns."""

import re
from dataclasses import dataclass

Said = list[tuple[str, str]]
ROLES = {
    "system": "system", "user": "user", "human": "user", "prompter": "user",
    "question": "user", "q": "user", "instruction": "user", "assistant": "assistant",
    "gpt": "assistant", "chatbot": "assistant", "developer": "system",
    "bot": "assistant", "model": "assistant", "ai": "assistant",
    "answer": "assistant", "a": "assistant", "response": "assistant", "tool": "tool",
    "ipython": "tool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """The style, and the turns; none where the text could not be divided."""

    style: str
    turns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Style:
    """`header` finds where a turn begins, with its role as the first group that is.

    `ends` are marks to remove from the end of a turn, `opens` from the text's start.
    """

    name: str
    mark: str
    header: re.Pattern[str]
    ends: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    preamble: bool = False
    is_template: bool = True


ENDS = ("</s>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|end|>")
STYLES = (
    Style("ChatML", "<|im_start|>",
          re.compile(r"<\|im_start\|>(\w+)(?:<\|im_sep\|>)?[ \t]*\n?"),
          ("<|im_end|>", *ENDS), ("<s>", "<|endoftext|>")),
    Style("Llama 3", "<|start_header_id|>",
          re.compile(r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n{0,2}"),
          ENDS, ("<|begin_of_text|>",)),
    Style("Llama 4", "<|header_start|>",
          re.compile(r"<\|header_start\|>(\w+)<\|header_end\|>\n{0,2}"),
          ("<|eot|>", *ENDS), ("<|begin_of_text|>",)),
    Style("Gemma", "<start_of_turn>", re.compile(r"<start_of_turn>(\w+)\n?"),
          ("<end_of_turn>", "<eos>"), ("<bos>",)),
    Style("Zephyr or Phi", "<|assistant|>",
          re.compile(r"<\|(system|user|assistant|prompter)\|>\n?"),
          ENDS, ("<s>",)),
    Style("DeepSeek", "<\uff5cAssistant\uff5c>",
          re.compile(r"<\uff5c(User|Assistant)\uff5c>"),
          ("<\uff5cend\u2581of\u2581sentence\uff5c>",),
          ("<\uff5cbegin\u2581of\u2581sentence\uff5c>",), preamble=True),
    Style("Command R", "<|START_OF_TURN_TOKEN|>",
          re.compile(r"<\|START_OF_TURN_TOKEN\|><\|(USER|CHATBOT|SYSTEM)_TOKEN\|>"),
          ("<|END_OF_TURN_TOKEN|>",), ("<BOS_TOKEN>",)),
    Style("Harmony", "<|message|>",
          re.compile(r"<\|start\|>(\w+)(?:<\|channel\|>\w+)?<\|message\|>"),
          ("<|end|>", "<|return|>")),
    Style("Granite", "<|start_of_role|>",
          re.compile(r"<\|start_of_role\|>(\w+)<\|end_of_role\|>"), ENDS),
    Style("Alpaca", "### Response:",
          re.compile(r"(?:^|\n)### (Instruction|Input|Response|System):?[ \t]*\n?"),
          ("### End", *ENDS), ("<s>",), preamble=True),
    Style("### Human", "### ",
          re.compile(r"###\s?(System|Human|User|Assistant|GPT|Bot):\s*"),
          ENDS, ("<s>",), preamble=True),
    Style("Vicuna", "ASSISTANT:",
          re.compile(r"(?:^|\s|</s>)(USER|ASSISTANT|SYSTEM):\s*"),
          ENDS, ("<s>",), preamble=True),
    Style("Human and Assistant", "Assistant:",
          re.compile(r"(?:^|\n)[ \t]*(Human|User|System|Assistant):[ \t]*"),
          ENDS, ("<s>",)),
    Style("Question and Answer", "Answer:",
          re.compile(r"(?:^|\n)[ \t]*(Question|Answer):[ \t]*"), ENDS, ("<s>",),
          is_template=False),
    Style("Q and A", "A:", re.compile(r"(?:^|\n)[ \t]*(Q|A):[ \t]*"), ENDS, ("<s>",),
          is_template=False),
)  # fmt: skip
SPECIAL = re.compile(r"<\|[a-zA-Z_]{2,30}\|>")
SYSTEM = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
LOOKED_AT = 20_000
MOST_MARKS = 4


MARKS = ("[INST]", *dict.fromkeys(s.mark for s in STYLES if s.is_template))


def spells_template(text: str) -> bool:
    """Whether a text has the marks of a chat template, and more than its words."""
    if "[INST]" in text:
        return True
    return any(
        style.is_template and style.mark in text and style.header.search(text)
        for style in STYLES
    )


def read_written(text: str) -> Written | None:
    """The turns of a chat that a text spells out; None for a text that is none."""
    head = text[:LOOKED_AT]
    if "[INST]" in head and "[/INST]" in head:
        return Written("Llama 2 or Mistral, [INST]", tuple(_instructions(text)))
    for style in STYLES:
        if style.mark in text and style.header.search(head):
            turns = _divided(text, style)
            if turns:
                return Written(style.name, tuple(turns))
            if style.mark.startswith("<"):
                return Written(style.name, ())
    if found := SPECIAL.search(head):
        return Written(f"special tokens like {found.group()}", ())
    return None


def _instructions(text: str) -> Said:
    turns: Said = []
    before, *parts = text.split("[INST]")
    if _stripped(before, ("<s>",), ENDS):
        return []
    for part in parts:
        question, closed, answer = part.partition("[/INST]")
        if not closed:
            return []
        if system := SYSTEM.match(question):
            turns.append(("system", system.group(1).strip()))
            question = question[system.end() :]
        turns.append(("user", question.strip()))
        said = _stripped(answer, (), ("<s>", *ENDS))
        if said:
            turns.append(("assistant", said))
    return turns if any(role == "assistant" for role, _ in turns) else []


def _divided(text: str, style: Style) -> Said:
    """The turns between headers; none unless a question and an answer are there."""
    headers = list(style.header.finditer(text))
    before = _stripped(text[: headers[0].start()], style.opens, ())
    if before and not style.preamble:
        return []
    turns: Said = [("system", before)] if before else []
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        name = header.group(1).casefold()
        said = _stripped(text[header.end() : end], (), (*style.ends, *style.opens))
        if name == "input" and turns and turns[-1][0] == "user":
            turns[-1] = ("user", f"{turns[-1][1]}\n\n{said}".strip())
        elif name not in ROLES:
            return []
        else:
            turns.append((ROLES[name], said))
    roles = [role for role, _ in turns]
    if {"user", "assistant"} <= set(roles):
        return [t for n, t in enumerate(turns) if t[1] or n + 1 < len(turns)]
    return []


def _stripped(text: str, opens: tuple[str, ...], ends: tuple[str, ...]) -> str:
    """A text without white space and marks around it."""
    text = text.strip()
    for _ in range(MOST_MARKS):
        before = text
        for mark in opens:
            text = text.removeprefix(mark).strip()
        for mark in ends:
            text = text.removesuffix(mark).strip()
        if text == before:
            break
    return text
