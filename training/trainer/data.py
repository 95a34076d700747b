"""Turns a split's rows into labelled token sequences."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from labels import (
    CannotRender,
    Labelled,
    Template,
    Traced,
    Untraced,
    label_conversation,
    opening_of,
)
from tokenizing import UnfitModel
from tracing import Trace, is_traceable, trace


class BadData(ValueError):
    """The data cannot be used for training; the message says why and what to change."""


class NoAnswers(ValueError):
    """There is nothing to train on, at any length."""


@dataclass(slots=True)
class Sequences:
    """The sequences of a split, and counts of those left out or truncated."""

    rows: list[dict[str, list[int]]] = field(default_factory=list)
    without_labels: int = 0
    refused: int = 0
    refusal: str = ""
    cut: int = 0
    lost_end: int = 0
    unstable: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    """The tokens that end trained turns, each with how many it ends."""

    def add(self, labelled: Labelled) -> None:
        self.cut += labelled.cut > 0
        self.lost_end += labelled.lost_end
        self.unstable += not labelled.prefix_stable
        if labelled.supervised:
            ids = {"input_ids": labelled.input_ids, "labels": labelled.labels}
            self.rows.append(ids)
            kept = (n for n in labelled.ends if n < len(labelled.input_ids))
            self.ends.update(labelled.input_ids[n] for n in kept)
        else:
            self.without_labels += 1

    def require_some(self, max_length: int) -> None:
        """Raises UnfitModel, BadData or NoAnswers, by the cause, if nothing is left."""
        if self.rows:
            return
        if self.refused > self.without_labels:
            raise UnfitModel(
                f"The base model's chat template rejects {self.refused} sequences"
                f"{f': {self.refusal}' if self.refusal else ''}. Choose another base "
                "model, or change the data."
            )
        if self.cut:
            raise BadData(
                f"No training sequence has a token to train on at max_length "
                f"{max_length}. Raise max_length, or shorten what comes before."
            )
        raise NoAnswers(
            "No training sequence has a token to train on: the chat template prints "
            "no answer with a weight. Look at an example in preflight."
        )

    def remarks(self, max_length: int) -> list[str]:
        """Warnings for the owner, as sentences."""
        found = []
        if self.cut:
            lost = f", {self.lost_end} of them before the end of their last answer"
            words = f"{self.cut} sequences were truncated at {max_length} tokens"
            found.append(words + (lost if self.lost_end else "") + ".")
        if self.without_labels:
            words = "have no token to train on and were left out"
            found.append(f"{self.without_labels} sequences {words}.")
        if self.refused:
            words = "were rejected by the base model's chat template and left out"
            found.append(f"{self.refused} sequences {words}.")
        if self.unstable:
            words = "the chat template rewrites earlier turns, so only the last answer"
            found.append(f"In {self.unstable} sequences {words} is trained on.")
        return found


def template_of(tokenizer: Any) -> Template:
    """Adapts a transformers tokenizer to labels.py."""

    def render(messages: Any, tools: Any, add_generation_prompt: bool) -> str:
        plain = without_weights(messages)
        try:
            rendered: str = tokenizer.apply_chat_template(
                plain,
                tools=tools,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
            )
        except Exception as error:
            raise CannotRender(str(error)) from error
        return rendered

    def traced(messages: Any, tools: Any, add_generation_prompt: bool) -> Traced:
        text = render(messages, tools, add_generation_prompt)
        found = trace_of(
            tokenizer, without_weights(messages), tools, add_generation_prompt
        )
        return found if found and found.text == text else Untraced(text=text)

    def encode(text: str) -> tuple[list[int], list[tuple[int, int]]]:
        found = tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return found["input_ids"], found["offset_mapping"]

    special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
    source = tokenizer.chat_template
    source = source.get("default", "") if isinstance(source, dict) else source
    return Template(
        render=render,
        encode=encode,
        ends=tuple(sorted(special)),
        trace=traced,
        opens=opening_of(source or "", tokenizer.bos_token),
        closes=tokenizer.eos_token or "",
    )


def without_weights(messages: Any) -> list[dict[str, Any]]:
    """The messages as a chat template sees them."""
    return [{k: v for k, v in m.items() if k != "weight"} for m in messages]


def trace_of(
    tokenizer: Any, messages: Any, tools: Any, add_generation_prompt: bool
) -> Trace | None:
    """Where the messages lie in what transformers renders of them, if it can be told.

    The compiled template is transformers' own, and whoever asks compares the text with
    what transformers gives: where the two differ, this one is not believed.
    """
    try:
        source = tokenizer.get_chat_template(tools=tools)
        compiled, traceable = _compiled(source)
        if not traceable:
            return None
        variables = {"tools": tools, "documents": None, **tokenizer.special_tokens_map}
        variables["add_generation_prompt"] = add_generation_prompt
        return trace(compiled, variables, messages)
    except Exception:
        return None


@cache
def _compiled(source: str) -> tuple[Any, bool]:
    """transformers' own template, and whether it can be traced."""
    # Here, since whoever only explains a failure loads this file without transformers.
    from transformers.utils.chat_template_utils import _compile_jinja_template

    compiled: Any = _compile_jinja_template(source)
    return compiled, is_traceable(compiled.environment, source)


def read_sequences(file: Path, template: Template, max_length: int) -> Sequences:
    """All sequences of a normalised JSON Lines file."""
    found = Sequences()
    with file.open() as lines:
        for line in lines:
            row = json.loads(line)
            try:
                labelled = label_conversation(
                    row["messages"],
                    template,
                    max_length=max_length,
                    tools=row.get("tools"),
                )
            except CannotRender as error:
                found.refused += 1
                found.refusal = found.refusal or str(error)
            else:
                found.add(labelled)
    return found
