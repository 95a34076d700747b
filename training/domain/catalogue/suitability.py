"""Whether a base model can be trained on a dataset, from its folder's own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LEARNED_POSITIONS = frozenset(
    {"gpt2", "gpt_neo", "gpt_bigcode", "openai-gpt", "opt", "xglm", "biogpt", "ctrl"}
)
"""Model types with one learned vector a position; source: their modeling_*.py."""
STATE_SPACES = frozenset({"mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h"})
"""Model types that PEFT refuses to adapt; source: peft 0.21.2, tuners_utils.py."""
POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length")
OTHER_MODEL = "Choose another base model."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model folder says of itself; 0 and empty where it does not say.

    `vocabulary` is the number of tokens with an embedding, `highest_token` the largest
    id that the tokenizer made of a dataset, `positions` the longest sequence that the
    model was made for.
    """

    model_type: str = ""
    vocabulary: int = 0
    positions: int = 0
    has_end: bool = True
    has_template: bool = True
    highest_token: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ModelFacts":
        """From a config.json, already parsed."""
        inner = config.get("text_config") or config
        found = (inner.get(name) for name in POSITIONS)
        return cls(
            model_type=str(config.get("model_type") or ""),
            vocabulary=_count(inner.get("vocab_size")),
            positions=next(filter(None, map(_count, found)), 0),
        )

    def obstacles(self, longest: int) -> Iterator[str]:
        """Why it cannot be trained, with the way out; `longest` is in tokens."""
        if words := cannot_adapt(self.model_type):
            yield words
        if self.vocabulary and self.highest_token >= self.vocabulary:
            yield (
                f"Its tokenizer makes the token {self.highest_token:,} of this data, "
                f"and the model knows {self.vocabulary:,}, from 0 on. Resize its "
                "embeddings (resize_token_embeddings(len(tokenizer))), save it and add "
                f"it again. {OTHER_MODEL}"
            )
        if not self.has_end:
            yield (
                "Its tokenizer has neither an end nor a padding token, so that an "
                "answer never ends. Set eos_token in its tokenizer_config.json and add "
                "it again."
            )
        if self.model_type in LEARNED_POSITIONS and 0 < self.positions < longest:
            yield (
                f"It has learned {self.positions:,} positions, and the longest "
                f"sequence has {longest:,} tokens. Set max_length to "
                f"{self.positions:,} or less."
            )

    def cautions(self, longest: int) -> Iterator[str]:
        """What works, but should be known."""
        learned = self.model_type in LEARNED_POSITIONS
        if not learned and 0 < self.positions < longest:
            yield (
                f"it was made for {self.positions:,} tokens, and the longest sequence "
                f"has {longest:,}: what lies beyond is new to it"
            )
        if not self.has_template:
            yield (
                "it has no chat template: ChatML is used, as preflight shows, and "
                "comes with the adapter's tokenizer"
            )


def cannot_adapt(model_type: str) -> str:
    """Why PEFT cannot adapt a model type; empty where it can, or nobody knows."""
    if model_type not in STATE_SPACES:
        return ""
    return (
        f"It is a state-space model ({model_type}), which LoRA cannot adapt in PEFT. "
        f"{OTHER_MODEL}"
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
