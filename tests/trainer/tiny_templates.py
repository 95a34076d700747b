"""Run by the trainer's Python: copies of the tiny model with other chat templates."""

import shutil
import sys
from pathlib import Path

from transformers import AutoTokenizer

# As in SmolLM2-135M-Instruct.
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != "
    "'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, "
    "trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Marks its answers, shows tools and calls, and trims what it is given.
GENERATION = (
    "{{ bos_token }}{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content | trim }}"
    "{% for call in m.tool_calls or [] %}{{ call.function.name }}("
    "{{ call.function.arguments }}){% endfor %}<|im_end|>{% endgeneration %}\n"
    "{% else %}{{ m.content | trim }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Says of earlier answers that they are old: its prefix changes with later turns.
CHANGING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and not loop.last %}(old) {% endif %}{{ m.content }}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Prints tools, calls and what tools answered, as Qwen's models do.
TOOLED = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n"
    "{% endfor %}<|im_end|>\n{% endif %}{% for m in messages %}<|im_start|>"
    "{{ 'user' if m.role == 'tool' else m.role }}\n{{ m.content or '' }}"
    "{% for call in m.tool_calls or [] %}\n<tool_call>\n{{ call.function | tojson }}"
    "\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Strips the reasoning from its answers and opens it itself, as DeepSeek-R1's do.
REASONING = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>"
    "{% if m.role == 'assistant' %}{{ (m.content or '').split('</think>')[-1] }}"
    "{{ eos_token }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
)
# Takes user and assistant in turn and nobody else, as Mistral's first ones did.
ALTERNATING = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
# Words alone, and no token that ends a turn.
WORDY = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
TEMPLATES = {
    "smollm2": SMOLLM2,
    "generation": GENERATION,
    "changing": CHANGING,
    "tooled": TOOLED,
    "reasoning": REASONING,
    "alternating": ALTERNATING,
    "wordy": WORDY,
}


def main(tiny: Path, target: Path) -> None:
    for name, template in TEMPLATES.items():
        shutil.copytree(tiny, target / name)
        tokenizer = AutoTokenizer.from_pretrained(tiny)
        special = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
        tokenizer.add_special_tokens(special)
        tokenizer.chat_template = template
        tokenizer.save_pretrained(target / name)


main(Path(sys.argv[1]), Path(sys.argv[2]))
