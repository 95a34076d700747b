"""Datasets: structure with hash against msgspec alone, tokens against the bare call.

The tokenizer of the bundled base model is used when its folder is at hand (settings
MODELS_DIR), else one of 16 384 tokens made here; the ratio is the same thing asked.
"""

import ast
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from django.conf import settings

from datasets.checking.structure import check_structure
from datasets.tokens.measure import BATCH_ROWS, measured
from datasets.tokens.tokenizer import ModelTokenizer

ROUNDS = 5
WORDS = Path(json.__file__).parents[1]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def text() -> str:
    return prose()


def prose() -> str:
    """The documentation strings of the standard library."""
    found = []
    for file in sorted(WORDS.rglob("*.py"))[:1500]:
        try:
            tree = ast.parse(file.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found.append(ast.get_docstring(node) or "")
    return " ".join(" ".join(found).split())


def rows_of(text: str, size: int, total: int, seed: int = 1) -> list[bytes]:
    """Chats of about `size` bytes each, cut from prose at random places."""
    chance, made, rows = random.Random(seed), 0, []
    while made < total:
        parts = []
        for share in (0.15, 0.35, 0.5):
            length = max(int(size * share), 20)
            start = text.index(" ", chance.randrange(len(text) - length - 100)) + 1
            parts.append(text[start : start + length].strip())
        roles = ("system", "user", "assistant")
        messages = [
            {"role": role, "content": part}
            for role, part in zip(roles, parts, strict=True)
        ]
        rows.append(json.dumps({"messages": messages}).encode() + b"\n")
        made += len(rows[-1])
    return rows


@pytest.mark.parametrize("size", [300, 2_000, 20_000])
def test_structure_and_hash_against_msgspec_alone(text, size, own_storage):
    rows = rows_of(text, size, 40_000_000)
    own_storage.mkdir(parents=True, exist_ok=True)
    (own_storage / "file").write_bytes(b"".join(rows))
    total = sum(map(len, rows)) / 1e6
    decode = msgspec.json.Decoder().decode
    alone, ours = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with (own_storage / "file").open("rb") as file:
            for line in file:
                decode(line)
        between = time.perf_counter()
        found = check_structure("file")
        alone.append(total / (between - began))
        ours.append(total / (time.perf_counter() - between))
        assert (found.examples, found.log.counts.total()) == (len(rows), 0)
        assert len(found.sha256) == 64
    ratio = statistics.median(o / a for o, a in zip(ours, alone, strict=True))
    print(
        f"\nstructure and sha256, rows of {total * 1e6 / len(rows):,.0f} bytes: "
        f"{statistics.median(ours):,.0f} MB/s, msgspec alone "
        f"{statistics.median(alone):,.0f} MB/s, ratio {ratio:.2f}"
    )


def test_tokens_against_the_bare_call(text, tmp_path):
    tokenizer = ModelTokenizer(tokenizer_folder(text, tmp_path))
    rows = rows_of(text, 2_000, 50_000_000)
    prepared = [tokenizer.prepare(msgspec.json.decode(row)) for row in rows]
    texts = [one.text for one in prepared]
    batched, whole, speeds = [], [], []
    for _ in range(3):
        began = time.perf_counter()
        for start in range(0, len(texts), BATCH_ROWS):
            bare(tokenizer, texts[start : start + BATCH_ROWS])
        second = time.perf_counter()
        tokens = bare(tokenizer, texts)
        third = time.perf_counter()
        batches = measured(rows, tokenizer)
        ours = sum(one.tokens for _, found in batches for one in found)
        taken = time.perf_counter() - third
        assert ours == tokens
        batched.append((second - began) / taken)
        whole.append((third - second) / taken)
        speeds.append(50 / taken)
    print(
        f"\ntokens of 50 MB, with rendering, labels and statistics: "
        f"{statistics.median(speeds):.1f} MB/s; {statistics.median(whole):.2f} of one "
        f"bare encode_batch_fast, {statistics.median(batched):.2f} of one for each "
        f"{BATCH_ROWS} rows"
    )


def bare(tokenizer: ModelTokenizer, texts: list[str]) -> int:
    """Tokens by the library's own call."""
    found = tokenizer._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return sum(map(len, found))


def tokenizer_folder(text: str, tmp_path: Path) -> Path:
    bundled = Path(settings.MODELS_DIR) / "SmolLM2-135M-Instruct"
    if (bundled / "tokenizer.json").is_file():
        return bundled
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=16_384, special_tokens=special, initial_alphabet=alphabet
    )
    made.train_from_iterator([text[:5_000_000]], trainer)
    made.save(str(tmp_path / "tokenizer.json"))
    config = {"eos_token": "<|im_end|>", "chat_template": TEMPLATE}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return tmp_path


def test_memory_of_reading_a_large_file(text, tmp_path):
    """A quarter of a gigabyte; the long tests do it with 2 GB and the whole check."""
    rows = rows_of(text, 2_000, 10_000_000)
    file = tmp_path / "storage" / "file"
    file.parent.mkdir()
    with file.open("wb") as out:
        for _ in range(25):
            out.writelines(rows)
    code = (
        "import resource, django; django.setup();"
        "from datasets.checking.structure import check_structure;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024;"
        "before = peak(); found = check_structure('file');"
        "print(found.examples, peak() - before)"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
        "LORA_PIPELINE_VAR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    examples, grown = done.stdout.split()
    assert int(examples) == 25 * len(rows)
    print(f"\nstructure of 250 MB: {float(grown):.0f} MB above idle")
