"""Run by the trainer's Python: train, then compare what the loaded adapter says.

Arguments: the trainer's folder, the base model's, and a folder with both splits.
"""

import json
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import torch
import train
from adapted import load
from merge import merge_adapter
from reporting import Silent
from spec import Hyperparameters, Plan, Spec
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, WORK = Path(sys.argv[2]), Path(sys.argv[3])
PROMPT = [{"role": "user", "content": "question 3 of the lamp"}]


def measured(model, tokenizer) -> tuple[torch.Tensor, list[int]]:
    """Logits of the prompt, and 32 greedy tokens after it."""
    model.eval()
    prompt = tokenizer.apply_chat_template(
        PROMPT, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        logits = model(**prompt).logits[0]
        made = model.generate(
            **prompt,
            do_sample=False,
            min_new_tokens=32,
            max_new_tokens=32,
            pad_token_id=tokenizer.eos_token_id,
        )
    return logits, made[0][prompt["input_ids"].shape[1] :].tolist()


def spec() -> Spec:
    values = {
        "run_id": "r", "job_id": "j", "attempt": 1,
        "base_model": {"id": "tests/tiny", "path": str(MODEL), "revision": None,
                       "note": "", "sha256": None},
        "dataset": {"name": "d", "sha256": "0", "train_pairs": 32},
        "hyperparameters": Hyperparameters(
            learning_rate=0.001, batch_size=4, epochs=6, rank=8, alpha=16,
            dropout=0.05, max_length=256, seed=42, warmup_ratio=0.03,
            scheduler="linear",
        ),
        "plan": Plan(), "checkpoint_every_steps": 100, "process_count": 1,
        "resume_step": 0,
        "resume_name": "", "run_dir": WORK,
    }  # fmt: skip
    return Spec(**values)


def main() -> None:
    at_end = {}
    save = train.save_adapter

    def keep_and_save(the_spec, trainer, tokenizer):
        at_end["measured"] = measured(trainer.model, tokenizer)
        return save(the_spec, trainer, tokenizer)

    train.save_adapter = keep_and_save
    folder = train.train(spec(), Silent()).folder
    logits, tokens = at_end["measured"]
    merged = WORK / "merged.zip"
    merge_adapter(str(MODEL), None, folder, merged)
    zipfile.ZipFile(merged).extractall(WORK / "merged")
    tokenizer = AutoTokenizer.from_pretrained(WORK / "merged")
    models = {
        "peft": load(str(MODEL), folder)[0],
        "merged": AutoModelForCausalLM.from_pretrained(
            WORK / "merged", dtype=torch.float32
        ),
    }
    base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    found = {
        "tokens": tokens,
        "changed_by_training": float(
            (measured(base, tokenizer)[0] - logits).abs().max()
        ),
    }
    for name, model in models.items():
        own, answer = measured(model, tokenizer)
        found[name] = {"difference": float((own - logits).abs().max()),
                       "tokens": answer}  # fmt: skip
    print(json.dumps(found))


main()
