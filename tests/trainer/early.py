"""Run by the trainer's Python: runs that overfit, ended early, killed and resumed.

Arguments: the trainer's folder, the base model's, a folder to work in.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import torch
import train
from data import read_sequences, template_of
from measures import Measures
from peft import PeftModel
from saving import sha256
from spec import Hyperparameters, Plan, Spec
from transformers import AutoModelForCausalLM

MODEL, WORK = sys.argv[2], Path(sys.argv[3])
EVERY, PATIENCE = 4, 3
VALUES = Hyperparameters(
    learning_rate=0.01, batch_size=4, epochs=8, rank=16, alpha=32, dropout=0.1,
    max_length=128, seed=3, warmup_ratio=0.0, scheduler="constant", eval_steps=EVERY,
    early_stopping_patience=PATIENCE, load_best_model_at_end=True,
)  # fmt: skip


class Killed(BaseException):
    """As SIGKILL: nothing of the run goes on."""


class Recorder:
    def __init__(self, killed_after=None):
        self.killed_after = killed_after
        self.measures = Measures()
        self.taken_through = 10**6
        self.events = []
        self.cancelled = type("Never", (), {"is_set": staticmethod(lambda: False)})

    def emit(self, type, **values):
        self.events.append({"type": type, **values})
        if type == "metrics" and values["step"] == self.killed_after:
            raise Killed
        return len(self.events)

    def log(self, message, **options):
        self.emit("log", message=message)

    def evaluations(self):
        return [[e["step"], e["loss"]] for e in self.events if e["type"] == "eval"]

    def last_step(self):
        return max([e["step"] for e in self.events if e["type"] == "metrics"] or [0])

    def fact(self, name):
        facts = [e["facts"] for e in self.events if e["type"] == "facts"]
        return next(f[name] for f in facts if name in f)


def spec_of(name: str, resume: int = 0, **changes) -> Spec:
    run_dir = WORK / name
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    for split, count, answer in (
        ("train", 24, "the lamp "),
        ("validation", 9, "of question "),
    ):
        rows = [
            [{"role": "user", "content": f"question {n}"},
             {"role": "assistant", "content": answer * (n % 2 + 1)}]
            for n in range(count)
        ]  # fmt: skip
        lines = "".join(json.dumps({"messages": row}) + "\n" for row in rows)
        (run_dir / f"{split}.jsonl").write_text(lines)
    return Spec(
        run_id="r", job_id="j", attempt=1, run_dir=run_dir,
        base_model={"id": "tests/tiny", "path": MODEL, "revision": None, "note": "",
                    "sha256": None},
        dataset={"name": "d", "sha256": "0", "train_pairs": 24},
        hyperparameters=replace(VALUES, **changes), plan=Plan(),
        checkpoint_every_steps=5, process_count=1, resume_step=resume,
        resume_name=f"checkpoint-{resume}" if resume else "",
    )  # fmt: skip


def run(spec: Spec, killed_after=None) -> dict:
    voice = Recorder(killed_after)
    try:
        adapter = train.train(spec, voice)
    except Killed:
        return {"kept": kept(spec)}
    return {
        "last_step": voice.last_step(),
        "total_steps": next(e for e in voice.events if e["type"] == "steps")[
            "total_steps"
        ] if spec.resume_step == 0 else None,
        "evaluations": voice.evaluations(),
        "delivered": voice.fact("delivered_step"),
        "sha256": sha256(adapter.folder / "adapter_model.safetensors"),
        "loss": by_hand(spec, adapter.folder),
        "kept": kept(spec),
        "card": (adapter.folder / "README.md").read_text(),
        "said": [e["message"] for e in voice.events if e["type"] == "log"],
    }  # fmt: skip


def kept(spec: Spec) -> list[int]:
    found = spec.checkpoints.glob("checkpoint-*")
    return sorted(int(folder.name.rpartition("-")[2]) for folder in found)


def by_hand(spec: Spec, folder: Path) -> float:
    """The validation loss of the delivered adapter, loaded by plain PEFT."""
    base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder).eval()
    template = template_of(train.load_tokenizer(spec, MODEL))
    rows = read_sequences(spec.run_dir / "validation.jsonl", template, 128).rows
    total, learned = 0.0, 0
    for row in rows:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])
        with torch.inference_mode():
            logits = model(input_ids=ids).logits[0, :-1]
        total += float(
            torch.nn.functional.cross_entropy(logits, labels[1:], reduction="sum")
        )
        learned += int((labels[1:] != -100).sum())
    return total / learned


def main() -> None:
    whole = run(spec_of("whole"))
    stop = whole["last_step"]
    killed = run(spec_of("killed"), killed_after=stop - 2)
    resumed = run(spec_of("killed", resume=max(killed["kept"])))
    # Once more from a checkpoint of the very step at which the patience was used up.
    at_end = replace(spec_of("at end"), checkpoint_every_steps=stop)
    run(at_end)
    again = run(replace(spec_of("at end", resume=stop), checkpoint_every_steps=stop))
    patient = run(spec_of("patient", early_stopping_patience=None, epochs=2))
    found = {"whole": whole, "killed": killed, "resumed": resumed, "again": again,
             "patient": patient}  # fmt: skip
    print("FOUND", json.dumps(found))


main()
