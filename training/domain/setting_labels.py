"""A job's settings as pages name them: one table of labels and explanations.

Ranges and defaults stand in `limits`; the order here is the order of every list.
"""

from dataclasses import dataclass

from training.domain.method import LORA, QLORA


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLabel:
    """A setting's name on pages, and its one-line explanation on the form."""

    label: str
    help_text: str = ""
    automatic: bool = False
    """Chosen by the console if it has no value."""


SETTINGS: dict[str, SettingLabel] = {
    "preset_id": SettingLabel(label="Preset"),
    "method": SettingLabel(
        label="Method",
        help_text="QLoRA keeps the base model in 4 bits: less memory, slower steps.",
    ),
    "learning_rate": SettingLabel(
        label="Learning rate",
        help_text="Lower is more stable; higher trains faster but can diverge.",
    ),
    "batch_size": SettingLabel(
        label="Batch size",
        help_text="Sequences per optimizer step, over all GPUs.",
    ),
    "epochs": SettingLabel(
        label="Epochs", help_text="Passes over the data, with diminishing returns."
    ),
    "rank": SettingLabel(
        label="LoRA rank",
        help_text="Capacity of the adapter: higher captures more detail.",
    ),
    "alpha": SettingLabel(
        label="Alpha",
        help_text="Scale of the adapter's output; usually twice the rank.",
    ),
    "dropout": SettingLabel(
        label="Dropout",
        help_text="Share of the adapter's inputs dropped during training.",
    ),
    "max_length": SettingLabel(
        label="Max length", help_text="In tokens; longer sequences are truncated."
    ),
    "packing": SettingLabel(
        label="Packing",
        help_text="Several short sequences per row: less padding, fewer steps.",
    ),
    "gradient_checkpointing": SettingLabel(
        label="Gradient checkpointing",
        help_text="Recomputes activations in the backward pass: less memory, slower.",
        automatic=True,
    ),
    "micro_batch": SettingLabel(
        label="Micro-batch",
        help_text=(
            "Sequences per forward pass; accumulation fills the batch."
            " Empty: automatic."
        ),
        automatic=True,
    ),
    "warmup_ratio": SettingLabel(
        label="Warmup",
        help_text="Share of the steps, from the first, in which the rate rises.",
    ),
    "warmup_steps": SettingLabel(
        label="Warmup steps",
        help_text="Instead of a share of the steps. Empty: the share.",
    ),
    "use_rslora": SettingLabel(
        label="Rank-stabilised LoRA",
        help_text="Scales by alpha / root of the rank: for ranks of 64 and more.",
    ),
    "weight_decay": SettingLabel(
        label="Weight decay", help_text="Of AdamW, on the adapter's weights."
    ),
    "max_grad_norm": SettingLabel(
        label="Largest gradient norm",
        help_text="Larger gradients are scaled down to it. 0: never.",
    ),
    "neftune_noise_alpha": SettingLabel(
        label="NEFTune noise",
        help_text="Noise on the embeddings in training, usually 5. Empty: none.",
    ),
    "eval_steps": SettingLabel(
        label="Evaluate every",
        help_text="In steps. Empty: after every epoch.",
    ),
    "early_stopping_patience": SettingLabel(
        label="Early stopping",
        help_text=(
            "Evaluations without a lower validation loss that end the run. Empty: off."
        ),
    ),
    "early_stopping_threshold": SettingLabel(
        label="Smallest gain",
        help_text="What a lower validation loss must gain to count for early stopping.",
    ),
    "load_best_model_at_end": SettingLabel(
        label="Deliver the best",
        help_text="The adapter with the lowest validation loss, not the last one.",
    ),
    "scheduler": SettingLabel(
        label="Scheduler", help_text="How the learning rate changes during training."
    ),
    "seed": SettingLabel(
        label="Seed", help_text="The same seed and settings reproduce a run."
    ),
}
METHOD_LABELS = {LORA: "LoRA", QLORA: "QLoRA"}
