"""The adapter's model card: what ran, and how to use what came of it."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from best import evaluations
from spec import QLORA, Spec

USE = """```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
base = AutoModelForCausalLM.from_pretrained({base})
model = PeftModel.from_pretrained(base, folder)

chat = [{{"role": "user", "content": "Hello"}}]
prompt = tokenizer.apply_chat_template(
    chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(
    **prompt, max_new_tokens=256, eos_token_id=tokenizer.eos_token_id
)
answer = answer[0][prompt["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
```"""
IN_4_BITS = (
    "The validation loss was measured on the base model in 4 bits, as it was trained "
    "on. Loaded as below the base model is whole, and its loss a little different."
)


def model_card(spec: Spec, trainer: Any, end: str) -> str:
    """README.md of the adapter. `end` is the token that ends its answers."""
    model, named = spec.base_model, base_name(spec)
    rows = {
        "base model": named,
        **_facts(spec, trainer),
        "end of an answer": f"`{end}`",
    }
    lines = [
        "---",
        f"base_model: {named}",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "tags: [lora, sft]",
        "---",
        f"# LoRA adapter for {named}",
        "",
        "Trained with LoRA Pipeline.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {k} | {v} |" for k, v in rows.items() if v is not None),
        "",
        *([model["note"], ""] if model.get("note") else []),
        *(_sha256(model)),
        *([IN_4_BITS, ""] if spec.plan.method == QLORA else []),
        "## How to use it",
        "",
        USE.format(base=_loaded_from(spec)),
        "",
    ]
    return "\n".join(lines)


def base_name(spec: Spec) -> str:
    """Where the base model's weights came from: a folder, or an id of the hub."""
    return str(spec.base_model["path"] or spec.base_model["id"])


def _loaded_from(spec: Spec) -> str:
    revision = spec.base_model.get("revision")
    pinned = revision and not spec.base_model["path"]
    return f'"{base_name(spec)}"' + (f', revision="{revision}"' if pinned else "")


def _sha256(model: dict[str, Any]) -> list[str]:
    return [f"sha256 of the base: {model['sha256']}", ""] if model["sha256"] else []


def _facts(spec: Spec, trainer: Any) -> dict[str, Any]:
    """What ran, read from the trainer rather than from what was asked for."""
    args, division = trainer.args, trainer.batches.division
    [adapter] = trainer.model.peft_config.values()
    history = trainer.state.log_history
    return {
        "base model revision": spec.base_model.get("revision"),
        "dataset": spec.dataset["name"],
        "dataset sha256": spec.dataset["sha256"],
        "training sequences": sum(len(r.get("seq_lengths", [0])) for r in trainer.rows),
        "packed into rows": len(trainer.rows) if division.packed else None,
        "validation sequences": len(trainer.held_out),
        "steps": trainer.state.global_step,
        "adapter of step": _of_step(trainer),
        "tokens seen": trainer.batches.seen_through(trainer.state.global_step),
        "first and last training loss": _ends(e.get("loss") for e in history),
        "first and last validation loss": _ends(e.get("eval_loss") for e in history),
        **asdict(spec.hyperparameters),
        "method": spec.plan.method,
        "packing": division.packed,
        "micro-batch": division.micro,
        "gradient accumulation": args.gradient_accumulation_steps,
        "processes": division.processes,
        "gradient checkpointing": bool(args.gradient_checkpointing),
        "warm-up steps": args.warmup_steps,
        "target modules": _named(adapter.target_modules),
        "trained weights": trainer.model.get_nb_trainable_parameters()[0],
    }


def _of_step(trainer: Any) -> str | int:
    """The step whose weights these are, and its validation loss if there is one."""
    step = trainer.delivered_step
    losses = dict(evaluations(trainer.state.log_history))
    return f"{step}, validation loss {losses[step]:.4f}" if step in losses else step


def _named(targets: Any) -> str:
    return f"`{targets}`" if isinstance(targets, str) else ", ".join(sorted(targets))


def _ends(found: Iterable[float | None]) -> str:
    losses = [loss for loss in found if loss is not None]
    return f"{losses[0]:.4f}, {losses[-1]:.4f}" if losses else "none"
