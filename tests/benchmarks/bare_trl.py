"""Run by the trainer's Python: plain TRL with the settings of a job, nothing else.

Prints tokens a second between the tenth step and the last, as the bench reckons them
for the trainer.
"""

import json
import sys
import time
from pathlib import Path

import transformers
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from datasets import Dataset

FIRST_STEP = 10


class Clock(TrainerCallback):
    """When each step was logged, and how many tokens had been seen by then."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[float, int]] = {}

    def on_log(self, args, state, control, logs=None, **_) -> None:
        if logs and "loss" in logs:
            self.seen[state.global_step] = (time.time(), int(logs["num_tokens"]))


def rows(file: Path) -> Dataset:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    turns = [
        [{"role": m["role"], "content": m["content"]} for m in line["messages"]]
        for line in lines
    ]
    return Dataset.from_list([{"messages": messages} for messages in turns])


def main(model: str, run_dir: Path, output: str, batch_size: int, epochs: int) -> None:
    transformers.set_seed(42)
    tokenizer = AutoTokenizer.from_pretrained(model)
    loaded = AutoModelForCausalLM.from_pretrained(model)
    loaded.config.use_cache = False
    config = SFTConfig(
        output_dir=output,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=batch_size,
        num_train_epochs=epochs,
        learning_rate=0.001,
        logging_steps=1,
        save_steps=1000,
        eval_strategy="epoch",
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        max_length=1024,
        report_to=[],
        disable_tqdm=True,
    )
    lora = LoraConfig(
        r=4,
        lora_alpha=8,
        lora_dropout=0.05,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    clock = Clock()
    trainer = SFTTrainer(
        model=loaded,
        args=config,
        train_dataset=rows(run_dir / "train.jsonl"),
        eval_dataset=rows(run_dir / "validation.jsonl"),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[clock],
    )
    trainer.train()
    began, before = clock.seen[FIRST_STEP]
    ended, after = clock.seen[max(clock.seen)]
    print("TOKENS_PER_SECOND", (after - before) / (ended - began))


main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
