"""Ask a model, with or without an adapter, and print the answers as JSON."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def print_answers(
    model: str, adapter: Path | None, questions: Path, max_new_tokens: int
) -> int:
    """Print a JSON list with the greedy answer to each conversation."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    loaded = AutoModelForCausalLM.from_pretrained(
        model, dtype=torch.float32, trust_remote_code=False
    )
    if adapter is not None:
        from peft import PeftModel

        loaded = PeftModel.from_pretrained(loaded, adapter)
    answers = []
    for messages in json.loads(questions.read_text()):
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            made = loaded.generate(
                **prompt,
                do_sample=False,
                max_new_tokens=max_new_tokens,
                pad_token_id=tokenizer.eos_token_id,
            )
        start = prompt["input_ids"].shape[1]
        answers.append(tokenizer.decode(made[0][start:], skip_special_tokens=True))
    json.dump(answers, sys.stdout)
    return 0
