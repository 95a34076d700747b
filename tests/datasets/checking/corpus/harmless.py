"""Files with warnings only: they are accepted."""

from tests.datasets.checking.corpus.cases import (
    ANSWER,
    GOOD,
    QUESTION,
    SYSTEM,
    Case,
    chat,
    document,
    fault,
    lines,
    table,
)
from tests.datasets.checking.corpus.valid import BRIGHT, BRIGHT_UNUSED

NO_TARGET = BRIGHT | {"target_response": None}


def warned(name: str, content: bytes, *faults: tuple, **expected) -> Case:
    return Case(
        name=name, content=content, faults=faults, **({"examples": 1} | expected)
    )


HARMLESS = [
    warned(
        "byte order mark",
        b"\xef\xbb\xbf" + lines(GOOD),
        fault("byte_order_mark", 1, "", "Ignored"),
    ),
    warned(
        "byte order mark before a document",
        b"\xef\xbb\xbf" + document([GOOD]),
        fault("byte_order_mark", 1),
        container="json",
    ),
    warned(
        "byte order mark before CSV",
        b"\xef\xbb\xbf" + table(["prompt", "completion"], ["a", "b"]),
        fault("byte_order_mark", 1),
        container="csv",
        format="prompt_completion",
    ),
    warned(
        "two users in a row",
        lines(GOOD, chat(QUESTION, QUESTION, ANSWER)),
        fault("same_role_again", 2, "messages[1]", "user after user"),
        examples=2,
    ),
    warned(
        "two answers in a row",
        lines(chat(QUESTION, ANSWER, ANSWER)),
        fault("same_role_again", 1, "messages[2]", "assistant after assistant"),
    ),
    warned(
        "ends with a question",
        lines(GOOD, GOOD, chat(QUESTION, ANSWER, QUESTION)),
        fault("no_final_answer", 3, "", "last is 'user'"),
        fault("duplicate", 2, "", "the same as line 1"),
        examples=3,
    ),
    warned(
        "system in the middle",
        lines(chat(QUESTION, SYSTEM, ANSWER)),
        fault("system_not_first", 1, "messages[1]"),
    ),
    warned(
        "empty system",
        lines(chat(SYSTEM | {"content": " "}, QUESTION, ANSWER)),
        fault("empty_system", 1, "messages[0]", "ignored"),
    ),
    warned(
        "NUL in the text",
        lines(chat(QUESTION | {"content": "a\x00b"}, ANSWER)),
        fault("nul_character", 1, "messages[0].content"),
    ),
    warned(
        "a BrightRun row without target",
        lines(BRIGHT, NO_TARGET),
        fault("no_target", 2, "", "turn 2"),
        format="brightrun",
        unused=BRIGHT_UNUSED,
    ),
    warned(
        "a BrightRun row with an empty target",
        lines(BRIGHT | {"target_response": " "}, BRIGHT),
        fault("no_target", 1),
        format="brightrun",
        unused=BRIGHT_UNUSED,
    ),
    warned(
        "duplicates",
        lines(GOOD, chat(SYSTEM, QUESTION, ANSWER), GOOD, GOOD | {"id": 7}),
        fault("duplicate", 3, "", "the same as line 1"),
        fault("duplicate", 4, "", "the same as line 1"),
        examples=4,
        unused=("id",),
    ),
    warned(
        "an e-mail address",
        lines(GOOD, chat(QUESTION, ANSWER | {"content": "Ask jo.lamp@lumen.io now"})),
        fault("secret", 2, "", "an e-mail address"),
        examples=2,
    ),
    warned(
        "an API key",
        lines(chat(QUESTION, ANSWER | {"content": "sk-" + "a1B2" * 8})),
        fault("secret", 1, "", "an API key"),
    ),
    warned(
        "an AWS key",
        lines(chat(QUESTION, ANSWER | {"content": "AKIA" + "ABCDEFGH12345678"})),
        fault("secret", 1, "", "an AWS access key"),
    ),
    warned(
        "a private key",
        lines(chat(QUESTION, ANSWER | {"content": "-----BEGIN RSA PRIVATE KEY-----"})),
        fault("secret", 1, "", "a private key"),
    ),
    warned(
        "a GitHub token",
        lines(chat(QUESTION, ANSWER | {"content": "ghp_" + "a" * 36})),
        fault("secret", 1, "", "a GitHub token"),
    ),
    warned("an example address is no secret",
           lines(chat(QUESTION, ANSWER | {"content": "Ask jo@example.com"}))),
]  # fmt: skip
