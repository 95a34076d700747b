"""Run by the trainer's Python: train an adapter, then use it from its card alone.

The base is the tiny model with another end of text than the token that ends its turns.
Arguments: the trainer's folder, the tiny model's, and a folder to work in.
"""

import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import torch
import train
from merge import merge_adapter
from reporting import Silent
from saving import checked_archive
from spec import Hyperparameters, Plan, Spec
from transformers import AutoModelForCausalLM, AutoTokenizer

TINY, WORK = sys.argv[2], Path(sys.argv[3])
BASE, OVER, MOST = WORK / "base", "<|over|>", 256
CHAT = [{"role": "user", "content": "Hello"}]


def make_base() -> None:
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    tokenizer.add_special_tokens({"eos_token": OVER})
    model = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    model.resize_token_embeddings(len(tokenizer))
    model.config.eos_token_id = model.generation_config.eos_token_id = (
        tokenizer.eos_token_id
    )
    model.save_pretrained(BASE)
    tokenizer.save_pretrained(BASE)


def rows(split: str, count: int) -> None:
    chats = [
        [{"role": "user", "content": "Hello"},
         {"role": "assistant", "content": "the lamp " * (n % 2 + 1)}]
        for n in range(count)
    ]  # fmt: skip
    lines = "".join(json.dumps({"messages": chat}) + "\n" for chat in chats)
    (WORK / f"{split}.jsonl").write_text(lines)


def spec() -> Spec:
    return Spec(
        run_id="r", job_id="j", attempt=1, run_dir=WORK,
        base_model={"id": "tests/named", "path": str(BASE), "revision": None,
                    "note": "", "sha256": None},
        dataset={"name": "d", "sha256": "0", "train_pairs": 61},
        hyperparameters=Hyperparameters(
            learning_rate=0.01, batch_size=4, epochs=6, rank=16, alpha=32, dropout=0.1,
            max_length=64, seed=1, warmup_ratio=0.03, scheduler="linear",
        ),
        plan=Plan(micro_batch=2), checkpoint_every_steps=10**6, process_count=1,
        resume_step=0, resume_name="",
    )  # fmt: skip


def by_the_card(card: str, folder: Path) -> int:
    """The tokens of the answer that the card's own code gets."""
    [code] = re.findall(r"```python\n(.*?)```", card, re.S)
    names: dict = {}
    exec(code.replace("path/to/this/folder", str(folder)), names)  # noqa: S102
    return len(names["answer"])


def by_the_merge(adapter: Path) -> int:
    merge_adapter(str(BASE), None, adapter, WORK / "merged.zip")
    zipfile.ZipFile(WORK / "merged.zip").extractall(WORK / "merged")
    tokenizer = AutoTokenizer.from_pretrained(WORK / "merged")
    model = AutoModelForCausalLM.from_pretrained(WORK / "merged")
    prompt = tokenizer.apply_chat_template(
        CHAT, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    made = model.generate(**prompt, do_sample=False, max_new_tokens=MOST)
    return len(made[0]) - prompt["input_ids"].shape[1]


def main() -> None:
    make_base()
    rows("train", 61)
    rows("validation", 5)
    adapter, archive = train.train(spec(), Silent()), WORK / "adapter.zip"
    checked_archive(adapter, archive)
    found = {"archive": hashlib.sha256(archive.read_bytes()).hexdigest()}
    if "use" in sys.argv:
        unpacked = WORK / "taken out"
        zipfile.ZipFile(archive).extractall(unpacked)
        config = json.loads((unpacked / "tokenizer_config.json").read_text())
        base = json.loads((BASE / "tokenizer_config.json").read_text())
        card = (unpacked / "README.md").read_text()
        tokenizer = AutoTokenizer.from_pretrained(unpacked)
        asked = AutoTokenizer.from_pretrained(BASE)
        found |= {
            "card": card,
            "config": config,
            "gained": sorted({*config} - {*base}),
            "by_the_card": by_the_card(card, unpacked),
            "by_the_merge": by_the_merge(unpacked),
            "rendered_alike": tokenizer.apply_chat_template(CHAT, tokenize=False)
            == asked.apply_chat_template(CHAT, tokenize=False),
        }
    print("FOUND", json.dumps(found))


main()
