"""ChatML, for base models without a chat template of their own.

A model whose tokenizer does not know `<|im_end|>` ends each turn with its own end token
behind it, so that it learns to stop.
"""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content or '' }}<|im_end|>"
    "{% if eos_token and eos_token != '<|im_end|>' %}{{ eos_token }}{% endif %}\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
