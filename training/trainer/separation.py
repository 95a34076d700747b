"""Whether sequences packed into one row stay apart in a model."""

from typing import Any

import torch
from stopping import CannotPack
from targets import is_mixture
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling
from weights import compute_dtype

FIRST, SECOND = 12, 20
# Shares of the largest logit. Tried on small models of 40 kinds in float32: those that
# keep sequences apart differ by 4e-7 at most, those that do not by 2e-3 at least. In 16
# bits rounding alone is 1e-2 where other shapes are computed: of B alone, and of a
# mixture's experts, to which A' sends other tokens than A. Else B is the same bits.
EXACT = 1e-4
IN_16_BITS = 2e-2


def require_separate(model: Any) -> None:
    """Raises CannotPack unless a packed sequence is computed as if it were alone.

    B is computed after A and after A', as the trainer packs them: nothing in B's logits
    may depend on what stood before it. Then B alone: its positions must start anew.
    """
    kind = type(model.get_base_model()).__name__
    words = f"{kind} cannot be packed: {{}} Start again without packing."
    try:
        after, after_other, alone = computed(model)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}."
        raise CannotPack(words.format(f"it failed with {reason}")) from error
    if not agree(after, after_other, same_shapes=not is_mixture(model)):
        raise CannotPack(words.format("a sequence sees those packed before it."))
    if not agree(after, alone, same_shapes=False):
        raise CannotPack(words.format("a packed sequence is not what it is alone."))


def agree(one: torch.Tensor, other: torch.Tensor, *, same_shapes: bool) -> bool:
    """Whether logits differ by no more than rounding."""
    exact = same_shapes or compute_dtype() == torch.float32
    tolerance = EXACT if exact else IN_16_BITS
    difference, largest = (one - other).abs().max(), one.abs().max()
    return float(difference) <= tolerance * float(largest)


@torch.no_grad()  # type: ignore[untyped-decorator]
def computed(model: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """B's logits after A, after A' and alone."""
    vocabulary = model.get_input_embeddings().num_embeddings
    chance = torch.Generator().manual_seed(0)

    def sequence(length: int) -> list[int]:
        found: list[int] = torch.randint(
            min(vocabulary, 1000), (length,), generator=chance
        ).tolist()
        return found

    first, other, second = sequence(FIRST), sequence(FIRST), sequence(SECOND)
    training = model.training
    model.eval()
    try:
        packs = ([first, second], [other, second], [second])
        found = [_logits(model, pack)[-SECOND:] for pack in packs]
    finally:
        model.train(training)
    return found[0], found[1], found[2]


def _logits(model: Any, sequences: list[list[int]]) -> torch.Tensor:
    ids = [token for sequence in sequences for token in sequence]
    row = {"input_ids": ids, "labels": ids, "seq_lengths": [len(s) for s in sequences]}
    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)
    batch = {
        name: value.to(model.device) if torch.is_tensor(value) else value
        for name, value in collate([row]).items()
        if name != "labels"
    }
    # As in training: quantised weights, norms and adapters are of different precision.
    dtype = compute_dtype()
    mixed = torch.autocast(
        model.device.type, dtype=dtype, enabled=dtype != torch.float32
    )
    with mixed:
        logits: torch.Tensor = model(**batch, use_cache=False).logits[0]
    return logits
