"""Run by the trainer's Python: runs of the trainer, and the same by a plain loop.

The loop is PyTorch and PEFT alone: a sequence at a time, without padding, packing,
micro-batches, processes, TRL or transformers' Trainer. Only the sequences and their
packing are the trainer's own; other tests look at those.

Arguments: the trainer's folder, the base model's, a folder with both splits, and a JSON
list of settings. Under torchrun the trainer runs in all processes, the loop in one.
"""

import json
import math
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import parallel
import torch
import train
from data import read_sequences, template_of
from measures import Measures
from packing import pack
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from spec import Hyperparameters, Plan, Spec
from transformers import AutoModelForCausalLM, MixtralConfig, MixtralForCausalLM

MODEL, DATA, SETTINGS = sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
DEFAULTS = {
    "learning_rate": 1e-3, "batch_size": 4, "epochs": 2, "rank": 4, "alpha": 8,
    "dropout": 0.0, "max_length": 256, "seed": 7, "warmup_ratio": 0.1,
    "scheduler": "linear", "use_rslora": False, "weight_decay": 0.0,
    "max_grad_norm": 1.0, "neftune_noise_alpha": None, "warmup_steps": None,
}  # fmt: skip


class Recorder:
    """A voice that keeps what the trainer reports."""

    def __init__(self):
        self.measures = Measures()
        self.taken_through = 0
        self.events = []
        self.cancelled = type("Never", (), {"is_set": staticmethod(lambda: False)})

    def emit(self, type, **values):
        self.events.append({"type": type, **values})
        return 0

    def log(self, *words, **options):
        pass

    def of(self, kind, *names):
        return [[e[n] for n in names] for e in self.events if e["type"] == kind]


def spec_of(setting, run_dir) -> Spec:
    own = {k: v for k, v in setting.items() if k in Plan.__slots__}
    values = DEFAULTS | {k: v for k, v in setting.items() if k in DEFAULTS}
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation"):
        (run_dir / f"{split}.jsonl").write_text((DATA / f"{split}.jsonl").read_text())
    return Spec(
        run_id="r", job_id="j", attempt=1, run_dir=run_dir,
        base_model={"id": "tests/tiny", "revision": None, "note": "",
                    "path": mixture(run_dir) if setting.get("mixture") else MODEL,
                    "sha256": None},
        dataset={"name": "d", "sha256": "0", "train_pairs": 61},
        hyperparameters=Hyperparameters(**values), plan=Plan(**own),
        checkpoint_every_steps=10**6, process_count=parallel.WORLD_SIZE,
        resume_step=0, resume_name="",
    )  # fmt: skip


def mixture(run_dir: Path) -> str:
    """A small Mixtral with the tiny model's tokenizer."""
    shutil.copytree(MODEL, run_dir / "mixture")
    config = MixtralConfig(
        vocab_size=512, hidden_size=64, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
        num_local_experts=4, num_experts_per_tok=2, router_aux_loss_coef=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    MixtralForCausalLM(config).save_pretrained(run_dir / "mixture")
    return str(run_dir / "mixture")


def by_the_trainer(spec: Spec) -> tuple[Recorder, dict]:
    """What a run reports, and the adapter it started from."""
    voice, begun, make = Recorder(), {}, train.make_trainer

    def watched(*arguments):
        trainer = make(*arguments)
        begun.update(
            {n: p.detach().clone() for n, p in trainer.model.named_parameters()
             if p.requires_grad}
        )  # fmt: skip
        return trainer

    train.make_trainer = watched
    try:
        train.train(spec, voice)
    finally:
        train.make_trainer = make
    return voice, begun


def by_the_loop(spec: Spec, begun: dict) -> dict:
    chosen = spec.hyperparameters
    folder = spec.base_model["path"]
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    adapted = sorted({n.split(".lora_")[0].rpartition(".")[2] for n in begun})
    lora = LoraConfig(r=chosen.rank, lora_alpha=chosen.alpha, lora_dropout=0.0,
                      target_modules=adapted,
                      use_rslora=chosen.use_rslora, task_type="CAUSAL_LM")  # fmt: skip
    model = get_peft_model(base, lora)
    set_peft_model_state_dict(
        model, {n.replace(".default", ""): w for n, w in begun.items()}
    )
    groups, held_out = sequences(spec)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1.0, weight_decay=chosen.weight_decay)
    total = -(-len(groups) // chosen.batch_size) * chosen.epochs
    steps, evaluations, seen = [], [], 0
    for epoch in range(chosen.epochs):
        order = torch.randperm(
            len(groups), generator=torch.Generator().manual_seed(chosen.seed + epoch)
        ).tolist()
        for start in range(0, len(order), chosen.batch_size):
            drawn = order[start : start + chosen.batch_size]
            batch = [s for n in drawn for s in groups[n]]
            seen += sum(len(s["input_ids"]) for s in batch)
            model.train()
            loss = summed(model, batch, backward=True)
            norm = torch.nn.utils.clip_grad_norm_(
                trained, chosen.max_grad_norm or torch.inf
            )
            rate = chosen.learning_rate * share(chosen, len(steps) + 1, total)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad()
            steps.append([len(steps) + 1, loss, float(norm), rate, seen])
        model.eval()
        evaluations.append([len(steps), summed(model, held_out)])
    return {"steps": steps, "evaluations": evaluations}


def summed(model, batch, *, backward=False) -> float:
    """The mean loss of all learned tokens, a sequence at a time."""
    learned = sum(sum(x != -100 for x in s["labels"][1:]) for s in batch)
    total = 0.0
    for sequence in batch:
        ids, labels = (torch.tensor([sequence[k]]) for k in ("input_ids", "labels"))
        with torch.set_grad_enabled(backward):
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
            loss = (
                torch.nn.functional.cross_entropy(
                    logits, labels[0, 1:], reduction="sum", ignore_index=-100
                )
                / learned
            )
        if backward:
            loss.backward()
        total += float(loss.detach())
    return total


def share(chosen: Hyperparameters, step: int, total: int) -> float:
    """The share of the learning rate of a step, counted from 1."""
    warm = -(-total * chosen.warmup_ratio // 1)
    if chosen.warmup_steps is not None:
        warm = chosen.warmup_steps
    if step <= warm:
        return step / warm
    done = (step - 1 - warm) / (total - warm)
    if chosen.scheduler == "linear":
        return 1 - done
    if chosen.scheduler == "cosine":
        return 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * done).double())))
    if chosen.scheduler == "cosine_with_restarts":
        return 0.5 * (1 + math.cos(math.pi * done))
    if chosen.scheduler == "polynomial":
        return (
            1e-7 + (1 - done) * (chosen.learning_rate - 1e-7)
        ) / chosen.learning_rate
    if chosen.scheduler == "inverse_sqrt":
        return (warm / (step - 1)) ** 0.5
    return 1.0


def sequences(spec: Spec) -> tuple[list, list]:
    """Rows of the training split, each a list of sequences, and the validation's."""
    tokenizer = train.load_tokenizer(spec, spec.base_model["path"])
    limit = spec.hyperparameters.max_length
    found = {
        split: read_sequences(
            spec.run_dir / f"{split}.jsonl", template_of(tokenizer), limit
        ).rows
        for split in ("train", "validation")
    }
    if not spec.plan.packing:
        return [[row] for row in found["train"]], found["validation"]
    groups = []
    for row in pack(found["train"], limit):
        ends = torch.tensor(row["seq_lengths"]).cumsum(0).tolist()
        spans = list(zip([0, *ends], ends, strict=False))
        groups.append([
            {k: row[k][a:b] for k in ("input_ids", "labels")} for a, b in spans
        ])  # fmt: skip
    return groups, found["validation"]


def main() -> None:
    for number, setting in enumerate(SETTINGS):
        name = f"run-{number}-{os.environ.get('RANK', '0')}"
        with tempfile.TemporaryDirectory(prefix=name) as folder:
            spec = spec_of(setting, Path(folder))
            voice, begun = by_the_trainer(spec)
            if parallel.RANK:
                continue
            names = ("step", "loss", "grad_norm", "learning_rate", "tokens_seen")
            found = {
                "steps": voice.of("metrics", *names),
                "evaluations": voice.of("eval", "step", "loss"),
                "aux": voice.of("metrics", "aux_loss"),
                "padded": voice.measures.padded_tokens,
                "loop": by_the_loop(spec, begun),
            }
            print("FOUND", json.dumps(found), flush=True)


main()
