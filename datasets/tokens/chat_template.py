"""Renders a model folder's chat template the way transformers does.

The trainer uses transformers itself; this copy of its Jinja environment (variables,
filters, fields removed from a message) lets web and worker do the same without it.
"""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from training.trainer.chatml import CHATML
from training.trainer.labels import CannotRender, Traced, Untraced, opening_of
from training.trainer.tracing import is_traceable, trace, write

SPECIAL = (
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
    "mask_token",
)  # fmt: skip
REASONING = ("reasoning_content", "thinking", "reasoning")


class Generation(Extension):
    """Support for `{% generation %}`, which marks answers: renders its body."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """The chat templates of a model folder compiled, and the special tokens they use.

    A template is a program of whoever made the model: outside of tests it is compiled
    and run by render_program.py alone, a process that can be ended.
    """

    def __init__(self, folder: Path, most_characters: int = sys.maxsize) -> None:
        config = _json(folder / "tokenizer_config.json")
        self.most_characters = most_characters
        self._special = _special_tokens(folder, config)
        self.closes = self._special.get("eos_token", "")
        environment = _environment()
        self._compiled, self._traceable = {}, set()
        sources = {"default": CHATML} | _sources(folder, config)
        bos_token = self._special.get("bos_token")
        self.opens = opening_of(sources["default"], bos_token)
        for name, source in sources.items():
            self._compiled[name] = environment.from_string(source)
            if is_traceable(environment, source):
                self._traceable.add(name)

    def render(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Any,
        add_generation_prompt: bool,
    ) -> str:
        """Render the messages. Raises CannotRender with the template's own error."""
        template = self._compiled[self._named(tools)]
        variables = self._variables(tools, add_generation_prompt)
        variables["messages"] = [_plain(message) for message in messages]
        try:
            return write(template, variables, self.most_characters)
        except MemoryError:
            raise
        except Exception as error:
            raise CannotRender(str(error)) from error

    def trace(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Any,
        add_generation_prompt: bool,
    ) -> Traced:
        """The text, with where each message lies in it. Raises CannotRender."""
        if (name := self._named(tools)) in self._traceable:
            plain = [_plain(message) for message in messages]
            variables = self._variables(tools, add_generation_prompt)
            with suppress(Exception):  # said by render() in the template's own words
                return trace(
                    self._compiled[name], variables, plain, self.most_characters
                )
        return Untraced(text=self.render(messages, tools, add_generation_prompt))

    def _named(self, tools: Any) -> str:
        return "tool_use" if tools and "tool_use" in self._compiled else "default"

    def _variables(self, tools: Any, add_generation_prompt: bool) -> dict[str, Any]:
        return {
            **self._special,
            "tools": tools,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }


def has_chat_template(folder: Path) -> bool:
    """Whether a model folder brings a template for chats; it is not looked into."""
    return "default" in _sources(folder, _json(folder / "tokenizer_config.json"))


def special_tokens_of(folder: Path) -> dict[str, str]:
    """The special tokens that the folder's tokenizer names, such as eos_token."""
    return _special_tokens(folder, _json(folder / "tokenizer_config.json"))


def version_of(folder: Path) -> str:
    """Changes whenever one of the files that make tokens of a chat does."""
    files = [*folder.glob("*.json"), *folder.glob("*.jinja")]
    files += (folder / "additional_chat_templates").glob("*.jinja")
    return " ".join(sorted(f"{file.name} {file.stat().st_mtime_ns}" for file in files))


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message as a template gets it: no weight, no nulls, all reasoning keys."""
    if len(message) == 3 and "weight" in message:
        return {"role": message["role"], "content": message["content"]}
    if len(message) == 2 and message.get("content") is not None:
        return message
    plain = {k: v for k, v in message.items() if v is not None and k != "weight"}
    found = next((plain[key] for key in REASONING if key in plain), None)
    if found is not None:
        plain = {"thinking": found, **plain, "reasoning_content": found}
    return plain


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _sources(folder: Path, config: dict[str, Any]) -> dict[str, str]:
    """Named templates, from every place a folder may keep them."""
    found: dict[str, str] = {}
    given = config.get("chat_template")
    if isinstance(given, str):
        found["default"] = given
    elif isinstance(given, list):
        found |= {entry["name"]: entry["template"] for entry in given}
    if (file := folder / "chat_template.jinja").is_file():
        found["default"] = file.read_text("utf-8")
    for file in sorted((folder / "additional_chat_templates").glob("*.jinja")):
        found[file.stem] = file.read_text("utf-8")
    return found


def _special_tokens(folder: Path, config: dict[str, Any]) -> dict[str, str]:
    given = _json(folder / "special_tokens_map.json") | config
    found = {}
    for name in SPECIAL:
        value = given.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            found[name] = text
    if "eos_token" in found:
        found.setdefault("pad_token", found["eos_token"])
    return found


def _json(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found if isinstance(found, dict) else {}
