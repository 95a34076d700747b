"""Files without any fault, in every format and container."""

import json

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
    other,
    packed,
    parquet,
    table,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {}}}]
PAIR = {"prompt": "Which lamp?", "completion": "The round one."}
ALPACA = {"instruction": "Translate.", "input": "Lampe", "output": "lamp"}
SHARE = {
    "conversations": [
        {"from": "human", "value": "Which lamp?"},
        {"from": "gpt", "value": "The round one."},
    ]
}
TURNS = {"conversation_id": "a", "turns": [QUESTION, ANSWER]}
TEXT = {"text": "All lamps are round."}
BRIGHT = {
    "conversation_id": "c",
    "turn_number": 2,
    "system_prompt": "You sell lamps.",
    "conversation_history": [{"turn": 1, **QUESTION}],
    "current_user_input": "Which lamp?",
    "target_response": "The round one.",
}
BRIGHT_UNUSED = ("turn_number", "conversation_history[].turn")
META = {"_meta": {"format_spec": "brightrun-lora-v5", "total_pairs": 1}}
BRIGHT_DOCUMENT = {
    "training_file_metadata": {"format_spec": "brightrun-lora-v4"},
    "conversations": [
        {"conversation_metadata": {"conversation_id": "1"}, "training_pairs": [BRIGHT]},
        {"conversation_metadata": {}, "training_pairs": [other(BRIGHT)]},
    ],
}
ROWS = {
    "openai_chat": GOOD,
    "prompt_completion": PAIR,
    "instruction": ALPACA,
    "sharegpt": SHARE,
    "turns": TURNS,
    "text": TEXT,
    "brightrun": BRIGHT,
}


def _containers() -> list[Case]:
    """Every format in every container, plain and packed."""
    found = []
    for name, row in ROWS.items():
        makers = {
            "jsonl": lines(row, other(row)),
            "json": document([row, other(row)]),
            "csv": table(list(row), [_cell(v) for v in row.values()]),
            "parquet": parquet(row),
        }
        for container, content in makers.items():
            examples = 2 if container in ("jsonl", "json") else 1
            for suffix, made in (("", content), (".gz", packed(content))):
                found.append(
                    Case(
                        name=f"{name}.{container}{suffix}",
                        content=made,
                        format=name,
                        container=container + suffix,
                        examples=examples,
                        unused=BRIGHT_UNUSED if name == "brightrun" else (),
                    )
                )
    return found


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


VALID = [
    *_containers(),
    Case(name="system first", content=lines(chat(SYSTEM, QUESTION, ANSWER)), examples=1),
    Case(
        name="developer is system",
        content=lines(chat(SYSTEM | {"role": "developer"}, QUESTION, ANSWER)),
        examples=1,
    ),
    Case(
        name="weights",
        content=lines(
            chat(QUESTION, ANSWER | {"weight": 0}, QUESTION, ANSWER | {"weight": 1})
        ),
        examples=1,
    ),
    Case(
        name="tool calls",
        content=lines(
            chat(
                QUESTION,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "round"},
                ANSWER,
                tools=TOOLS,
            )
        ),
        examples=1,
    ),
    Case(
        name="an old function call",
        content=lines(
            chat(
                QUESTION,
                {
                    "role": "assistant",
                    "content": None,
                    "function_call": {"name": "find", "arguments": "{}"},
                },
                {"role": "function", "name": "find", "content": "round"},
                ANSWER,
            )
        ),
        examples=1,
    ),
    Case(
        name="content in text parts",
        content=lines(
            chat(QUESTION | {"content": [{"type": "text", "text": "Hi"}]}, ANSWER)
        ),
        examples=1,
    ),
    Case(name="blank lines", content=b"\n" + lines(GOOD) + b"\n  \n" + lines(other(GOOD)), examples=2),
    Case(name="no last line end", content=lines(GOOD).rstrip(), examples=1),
    Case(name="Windows line ends", content=lines(GOOD).replace(b"\n", b"\r\n"), examples=1),
    Case(name="answer first", content=lines(chat(ANSWER, QUESTION, ANSWER)), examples=1),
    Case(
        name="prompt as messages",
        content=lines({"prompt": [QUESTION], "completion": [ANSWER]}),
        format="prompt_completion",
        examples=1,
    ),
    Case(
        name="instruction without input",
        content=lines({"instruction": "Say lamp.", "output": "lamp"}),
        format="instruction",
        examples=1,
    ),
    Case(
        name="instruction with empty input",
        content=lines({"instruction": "Say lamp.", "input": "", "output": "lamp"}),
        format="instruction",
        examples=1,
    ),
    Case(
        name="instruction with history and system",
        content=lines(ALPACA | {"system": "Be brief.", "history": [["Hi", "Hello"]]}),
        format="instruction",
        examples=1,
    ),
    Case(
        name="ShareGPT with system beside",
        content=lines(SHARE | {"system": "You sell lamps."}),
        format="sharegpt",
        examples=1,
    ),
    Case(
        name="ShareGPT with the roles of tools",
        content=lines(
            {
                "conversations": [
                    {"from": "human", "value": "Which?"},
                    {"from": "function_call", "value": "find()"},
                    {"from": "observation", "value": "round"},
                    {"from": "gpt", "value": "The round one."},
                ]
            }
        ),
        format="sharegpt",
        examples=1,
        faults=(fault("call_as_text", 1, "conversations[1].value", "find()"),),
    ),
    Case(name="BrightRun rows", content=lines(META, BRIGHT), format="brightrun", unused=BRIGHT_UNUSED, examples=1),
    Case(
        name="BrightRun document",
        content=document(BRIGHT_DOCUMENT),
        format="brightrun",
        unused=(*BRIGHT_UNUSED, "training_file_metadata"),
        container="json",
        examples=2,
    ),
    Case(
        name="BrightRun document in one line",
        content=json.dumps(BRIGHT_DOCUMENT).encode(),
        format="brightrun",
        unused=(*BRIGHT_UNUSED, "training_file_metadata"),
        container="json",
        examples=2,
    ),
    Case(
        name="one row over several lines",
        content=document(GOOD),
        container="json",
        examples=1,
    ),
    Case(
        name="rows over several lines, one after another",
        content=document(GOOD) + b"\n" + document(other(GOOD)),
        container="json",
        examples=2,
    ),
    Case(
        name="rows in a member named data",
        content=document({"version": 1, "data": [GOOD, other(GOOD)]}),
        unused=("version",),
        container="json",
        examples=2,
    ),
    Case(
        name="an array in one line",
        content=json.dumps([GOOD, other(GOOD)]).encode(),
        container="json",
        examples=2,
    ),
    Case(
        name="CSV with semicolons",
        content=table(["prompt", "completion"], ["a;b", "c"], delimiter=";"),
        format="prompt_completion",
        container="csv",
        examples=1,
    ),
    Case(
        name="CSV with tabs",
        content=table(["instruction", "output"], ["a", "c"], delimiter="\t"),
        format="instruction",
        container="csv",
        examples=1,
    ),
    Case(
        name="CSV with line ends in a cell",
        content=table(["prompt", "completion"], ["a\nb", 'c "d"'], ["e", "f"], end="\r\n"),
        format="prompt_completion",
        container="csv",
        examples=2,
    ),
    Case(
        name="scripts beyond the basic plane",
        content=lines(chat(QUESTION | {"content": "ランプ 🪔 \\ud83e"}, ANSWER)),
        examples=1,
    ),
    Case(
        name="a surrogate pair",
        content=lines(b'{"messages": [{"role": "user", "content": "\\ud83e\\ude94"}, '
                      b'{"role": "assistant", "content": "ok"}]}'),
        examples=1,
    ),
]  # fmt: skip
