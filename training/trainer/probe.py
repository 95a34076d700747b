"""One probe point: measures a few steps of a randomly initialised model."""

import json
import math
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from data import Sequences
from reporting import Silent
from spec import Hyperparameters, Plan, Spec

PADDING = "<pad>"


def print_point(point: dict[str, Any]) -> int:
    """Train on random tokens and print the measurements as the last output line.

    `point` has dimensions, method, rank, length, micro_batch, steps and
    gradient_checkpointing. The model is saved to a folder and loaded like a real one,
    so that loading and its peak count too; another process creates it, so that this
    one's peak is that of a run.
    """
    with tempfile.TemporaryDirectory() as name:
        _made_elsewhere(point["dimensions"], Path(name) / "model")
        return _measure(point, Path(name))


def _made_elsewhere(dimensions: dict[str, Any], folder: Path) -> None:
    maker = get_context("spawn").Process(target=_save_random, args=(dimensions, folder))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit(f"could not create the model: exit status {maker.exitcode}")


def _measure(point: dict[str, Any], folder: Path) -> int:
    from recipe import make_trainer
    from train import load_model

    voice = Silent()
    spec = _spec(point, folder)
    voice.measures.lap("start")
    model = load_model(spec, str(folder / "model"))
    splits = {"train": _rows(point), "validation": Sequences()}
    trainer = make_trainer(spec, model, _tokenizer(point), splits, voice)
    voice.measures.lap("load_model")
    trainer.train()
    report = voice.measures.report() | {"tokens_a_step": _tokens(point)}
    print(json.dumps(report), file=sys.__stdout__, flush=True)
    return 0


def _tokens(point: dict[str, Any]) -> int:
    return int(point["length"] * point["micro_batch"])


def _spec(point: dict[str, Any], folder: Path) -> Spec:
    values = Hyperparameters(
        learning_rate=0.0001,
        batch_size=point["micro_batch"],
        epochs=1,
        rank=point["rank"],
        alpha=2 * point["rank"],
        dropout=0.05,
        max_length=point["length"],
        seed=0,
        warmup_ratio=0.0,
        scheduler="constant",
    )
    plan = Plan(
        method=point["method"],
        gradient_checkpointing=point["gradient_checkpointing"],
        micro_batch=point["micro_batch"],
    )
    return Spec(
        run_id="probe",
        job_id="probe",
        attempt=1,
        base_model={"id": "probe", "path": str(folder), "revision": None},
        dataset={},
        hyperparameters=values,
        plan=plan,
        checkpoint_every_steps=10**9,
        process_count=1,
        resume_step=0,
        resume_name="",
        run_dir=folder,
    )


def _rows(point: dict[str, Any]) -> Sequences:
    """Equal-length sequences with labels on the second half, as in a short chat."""
    import torch

    length, count = point["length"], point["micro_batch"] * point["steps"]
    torch.manual_seed(0)
    vocabulary = point["dimensions"]["vocabulary"]
    rows = torch.randint(1, vocabulary, (count, length)).tolist()
    half = length // 2
    ignored = [-100] * half
    return Sequences(
        rows=[{"input_ids": ids, "labels": ignored + ids[half:]} for ids in rows]
    )


def _save_random(dimensions: dict[str, Any], folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from weights import compute_dtype

    width = math.gcd(dimensions["query"], dimensions["key_value"], 128)
    config = LlamaConfig(
        vocab_size=dimensions["vocabulary"],
        hidden_size=dimensions["hidden"],
        intermediate_size=dimensions["ffn"],
        num_hidden_layers=dimensions["layers"],
        num_attention_heads=dimensions["query"] // width,
        num_key_value_heads=dimensions["key_value"] // width,
        head_dim=width,
        tie_word_embeddings=dimensions["tied_embeddings"],
        max_position_embeddings=131_072,
        pad_token_id=0,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(compute_dtype())
    try:
        LlamaForCausalLM(config).save_pretrained(folder)
    finally:
        torch.set_default_dtype(before)


def _tokenizer(point: dict[str, Any]) -> Any:
    """A minimal tokenizer: the trainer only needs padding here."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(WordLevel({PADDING: 0}, unk_token=PADDING))
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token=PADDING, eos_token=PADDING
    )
