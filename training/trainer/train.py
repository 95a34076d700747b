"""Training: base model, LoRA, TRL's SFTTrainer and progress reports."""

import errno
import os
import shutil
import sys
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import parallel
import transformers
from data import Sequences, read_sequences, template_of
from ending import end_with, learned_end
from explain import CheckpointLost, model_not_found
from fitting import deliver_best, fit
from hub import fetch
from recipe import make_trainer
from remote_code import refuse_unknown_code, runs_code
from reporting import Voice
from saving import Adapter, save_adapter
from spec import Spec, step_of
from stopping import Stopped
from tokenizing import completed
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from weights import loading_options, prepared, without_dropout

import datasets

if "site-packages" not in (datasets.__file__ or ""):
    sys.exit("The trainer must be started with -I: `datasets` is not Hugging Face's.")

WHOLE_CHECKPOINT = (
    "adapter_model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "trainer_state.json",
)


def train(spec: Spec, reporter: Voice) -> Adapter:
    """Train the adapter and save it. Raises Stopped when told to end, Diverged or
    NothingLearned where it came to nothing.
    """
    parallel.require_world(spec.process_count)
    measures = reporter.measures
    measures.lap("start")
    transformers.set_seed(spec.hyperparameters.seed)
    folder = find_model(spec, reporter)
    refuse_unknown_code(spec.base_model, folder)
    measures.lap("download_model")
    tokenizer = load_tokenizer(spec, folder)
    splits = _sequences(spec, tokenizer, reporter)
    measures.lap("prepare_data")
    _stop_early(spec, reporter)
    reporter.emit("stage", stage="loading_model")
    model = load_model(spec, folder)
    trainer = make_trainer(spec, model, tokenizer, splits, reporter)
    measures.lap("load_model")
    resume = _resume_folder(spec, reporter)
    _stop_early(spec, reporter)
    reporter.emit("stage", stage="training")
    fit(spec, trainer, resume)
    step = deliver_best(spec, trainer)
    hashes = parallel.adapter_hashes(trainer.model)
    facts = {"adapter_hashes": hashes, "delivered_step": step}
    reporter.emit("facts", facts=facts)
    end_with(tokenizer, learned_end(tokenizer, splits["train"].ends))
    trainer.delivered_step = step
    return save_adapter(spec, trainer, tokenizer)


def _stop_early(spec: Spec, reporter: Voice) -> None:
    """Stop before the first step, when there is nothing to save. Several processes stop
    together, after a step.
    """
    if parallel.WORLD_SIZE == 1 and reporter.cancelled.is_set():
        raise Stopped(spec.resume_step)


def _resume_folder(spec: Spec, reporter: Voice) -> str | None:
    """The checkpoint to resume from. Raises CheckpointLost if it is incomplete."""
    if parallel.RANK == 0:
        _drop_newer_checkpoints(spec)
    if not spec.resume_name:
        return None
    folder = spec.checkpoints / spec.resume_name
    if missing := [name for name in WHOLE_CHECKPOINT if not (folder / name).is_file()]:
        raise CheckpointLost(f"{spec.resume_name} is missing {', '.join(missing)}.")
    reporter.log(f"resuming from step {spec.resume_step}")
    return str(folder)


def _sequences(spec: Spec, tokenizer: Any, reporter: Voice) -> dict[str, Sequences]:
    """Both splits as labelled sequences. Raises what `require_some` raises."""
    template, limit = template_of(tokenizer), spec.hyperparameters.max_length
    found = {
        split: read_sequences(spec.run_dir / f"{split}.jsonl", template, limit)
        for split in ("train", "validation")
    }
    for remark in found["train"].remarks(limit):
        reporter.log(remark, level="warning")
    found["train"].require_some(limit)
    return found


def load_tokenizer(spec: Spec, folder: str) -> Any:
    """The base model's tokenizer, with what it lacks. Raises UnfitModel."""
    return completed(_load(AutoTokenizer, spec, folder), folder)


def load_model(spec: Spec, folder: str) -> Any:
    """The base model's frozen weights."""
    options = loading_options(spec.plan)
    options["config"] = without_dropout(_load(AutoConfig, spec, folder))
    return prepared(_load(AutoModelForCausalLM, spec, folder, **options), spec.plan)


def find_model(spec: Spec, reporter: Voice) -> str:
    """The base model's folder: a local one, or downloaded from the hub."""
    if folder := spec.base_model["path"]:
        os.environ["HF_HUB_OFFLINE"] = "1"
        return str(folder)
    try:
        model = spec.base_model
        code = runs_code(model)
        return fetch(model["id"], model["revision"], reporter.log, code=code)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise model_not_found(spec, "Hugging Face", error) from error


def _load(loader: Any, spec: Spec, folder: str, **options: Any) -> Any:
    try:
        trusted = runs_code(spec.base_model)
        return loader.from_pretrained(folder, trust_remote_code=trusted, **options)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise model_not_found(spec, folder, error) from error


def _drop_newer_checkpoints(spec: Spec) -> None:
    """Delete checkpoints that a killed attempt saved but never reported."""
    for folder in spec.checkpoints.glob("checkpoint-*"):
        if step_of(folder.name) > spec.resume_step:
            shutil.rmtree(folder)
