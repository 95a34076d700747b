"""Training: base model, LoRA, TRL's SFTTrainer and progress reports."""

import errno
import math
import os
import shutil
import sys
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import parallel
import torch
import transformers
from data import BadData, Sequences, read_sequences, template_of
from explain import CheckpointLost, ModelNotFound
from fitting import Trainer, fit
from hub import fetch
from packing import pack
from peft import LoraConfig
from progress import Progress
from remote_code import refuse_unknown_code, runs_code
from reporting import Voice
from saving import Adapter, save_adapter
from spec import Spec, micro_batch, step_of
from stopping import Stopped
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig
from weights import adapters_in_float32, compute_dtype, loading_options, prepared

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
    hashes = parallel.adapter_hashes(trainer.model)
    reporter.emit("facts", facts={"adapter_hashes": hashes})
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
    """Both splits as labelled sequences. Raises BadData if none has a label."""
    template, limit = template_of(tokenizer), spec.hyperparameters.max_length
    found = {
        split: read_sequences(spec.run_dir / f"{split}.jsonl", template, limit)
        for split in ("train", "validation")
    }
    for remark in found["train"].remarks(limit):
        reporter.log(remark, level="warning")
    if not found["train"].rows:
        raise BadData(
            "No training sequence has a token to train on at "
            f"max_length {limit}. Raise max_length, or add answers."
        )
    return found


def load_tokenizer(spec: Spec, folder: str) -> Any:
    """The base model's tokenizer; pads with the end token if it has no pad token."""
    tokenizer = _load(AutoTokenizer, spec, folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.chat_template:
        raise BadData("The base model has no chat template. Choose an instruct model.")
    return tokenizer


def load_model(spec: Spec, folder: str) -> Any:
    """The base model's frozen weights."""
    options = loading_options(spec.plan)
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
        raise _not_found(spec, "Hugging Face", error) from error


def _load(loader: Any, spec: Spec, folder: str, **options: Any) -> Any:
    try:
        trusted = runs_code(spec.base_model)
        return loader.from_pretrained(folder, trust_remote_code=trusted, **options)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise _not_found(spec, folder, error) from error


def _not_found(spec: Spec, where: str, error: Exception) -> ModelNotFound:
    return ModelNotFound(
        f"The base model {spec.base_model['id']} could not be loaded from {where}: "
        f"{str(error).splitlines()[0][:300]} Check its name, and HF_TOKEN when it is "
        "gated."
    )


def make_trainer(
    spec: Spec,
    model: Any,
    tokenizer: Any,
    splits: dict[str, Sequences],
    reporter: Voice,
) -> Any:
    """TRL's trainer with the run's data, adapter and progress callbacks."""
    rows, evaluates = splits["train"].rows, bool(splits["validation"].rows)
    if spec.plan.packing:
        rows = pack(rows, spec.hyperparameters.max_length)
    batch, epochs = spec.hyperparameters.batch_size, spec.hyperparameters.epochs
    steps = math.ceil(len(rows) / batch) * epochs
    config = training_config(spec, steps=steps, evaluates=evaluates)
    trainer = Trainer(
        model=model,
        args=config,
        train_dataset=datasets.Dataset.from_list(rows),
        eval_dataset=_as_dataset(splits["validation"]),
        processing_class=tokenizer,
        peft_config=lora_config(spec),
        callbacks=[Progress(spec, reporter, steps, evaluates=evaluates)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    adapters_in_float32(trainer.model)
    for adapter in trainer.model.peft_config.values():
        adapter.base_model_name_or_path = spec.base_model["id"]
        adapter.revision = spec.base_model["revision"]
    _measure(trainer, reporter)
    world = parallel.WORLD_SIZE
    reporter.log(
        f"{len(rows)} {'rows' if spec.plan.packing else 'sequences'}, {steps} steps "
        f"of {batch}: {spec.plan.method}, micro-batch "
        f"{config.per_device_train_batch_size} on {world} "
        f"process{'es' if world > 1 else ''}"
    )
    return trainer


def training_config(spec: Spec, *, steps: int, evaluates: bool) -> SFTConfig:
    """The run's TRL settings, with every TRL default stated explicitly."""
    chosen, plan, world = spec.hyperparameters, spec.plan, parallel.WORLD_SIZE
    micro = plan.micro_batch or micro_batch(chosen.batch_size // world)
    cuda, dtype = torch.cuda.is_available(), compute_dtype()
    checkpointing = plan.gradient_checkpointing
    return SFTConfig(
        output_dir=str(spec.checkpoints),
        per_device_train_batch_size=micro,
        per_device_eval_batch_size=micro,
        gradient_accumulation_steps=chosen.batch_size // world // micro,
        num_train_epochs=chosen.epochs,
        learning_rate=chosen.learning_rate,
        lr_scheduler_type=chosen.scheduler,
        # A single step of warm-up would be one of no learning rate, hence of nothing.
        warmup_steps=min(math.ceil(steps * chosen.warmup_ratio), steps - 1),
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=spec.checkpoint_every_steps,
        save_total_limit=None,
        eval_strategy="epoch" if evaluates else "no",
        bf16=dtype == torch.bfloat16,
        fp16=dtype == torch.float16,
        use_cpu=not cuda,
        ddp_backend="gloo" if world > 1 and not cuda else None,
        ddp_find_unused_parameters=False,
        gradient_checkpointing=cuda if checkpointing is None else checkpointing,
        dataloader_pin_memory=cuda,
        seed=chosen.seed,
        data_seed=chosen.seed,
        max_length=None,
        packing=False,
        padding_free=plan.packing,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        disable_tqdm=True,
        push_to_hub=False,
    )


def _measure(trainer: Any, reporter: Voice) -> None:
    """Count padding, and record the kernels behind the figures."""
    reporter.measures.watch_padding(trainer.model)
    reporter.measures.kernels = {
        "attention": str(trainer.model.config._attn_implementation),
        "loss": "chunked",
        "optimizer": str(trainer.args.optim),
        "precision": str(compute_dtype()),
    }


def lora_config(spec: Spec) -> LoraConfig:
    """LoRA on every linear layer except the output head."""
    return LoraConfig(
        r=spec.hyperparameters.rank,
        lora_alpha=spec.hyperparameters.alpha,
        lora_dropout=spec.hyperparameters.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        bias="none",
    )


def _as_dataset(split: Sequences) -> Any:
    return datasets.Dataset.from_list(split.rows) if split.rows else None


def _drop_newer_checkpoints(spec: Spec) -> None:
    """Delete checkpoints that a killed attempt saved but never reported."""
    for folder in spec.checkpoints.glob("checkpoint-*"):
        if step_of(folder.name) > spec.resume_step:
            shutil.rmtree(folder)
