"""How a run trains: TRL's settings, the adapter, the batches."""

import math
from typing import Any

import parallel
import torch
import transformers
from batching import Batches, Division, Row
from data import Sequences
from fitting import Trainer
from packing import pack
from peft import LoraConfig
from progress import Progress
from reporting import Voice
from separation import require_separate
from spec import Spec, micro_batch
from targets import default_targets, is_mixture
from trl import SFTConfig
from weights import adapters_in_float32, compute_dtype

import datasets


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
    batches = batches_of(spec, rows)
    steps = batches.steps_per_epoch * spec.hyperparameters.epochs
    config = training_config(spec, steps=steps)
    progress = Progress(spec, reporter, batches, evaluates=evaluates)
    trainer = Trainer(
        model=model,
        args=config,
        # TRL looks at one row; the rest it gets through `rows` and `held_out`.
        train_dataset=datasets.Dataset.from_list(rows[:1]),
        eval_dataset=datasets.Dataset.from_list(rows[:1]) if evaluates else None,
        processing_class=tokenizer,
        peft_config=lora_config(spec, model),
        callbacks=[progress],
    )
    trainer.rows, trainer.batches = rows, batches
    trainer.held_out, trainer.progress = splits["validation"].rows, progress
    trainer.remove_callback(transformers.PrinterCallback)
    adapters_in_float32(trainer.model)
    if spec.plan.packing:
        require_separate(trainer.model)
    for adapter in trainer.model.peft_config.values():
        adapter.base_model_name_or_path = spec.base_model["id"]
        adapter.revision = spec.base_model["revision"]
    _measure(trainer, reporter)
    if is_mixture(model):
        reporter.log("a mixture of experts: router and experts are left as they are")
    world = parallel.WORLD_SIZE
    reporter.log(
        f"{len(rows)} {'rows' if spec.plan.packing else 'sequences'}, {steps} steps "
        f"of {batches.division.batch}: {spec.plan.method}, micro-batch "
        f"{batches.division.micro} on {world} process{'es' if world > 1 else ''}"
    )
    return trainer


def batches_of(spec: Spec, rows: list[Row]) -> Batches:
    """This process's micro-batches of all rows."""
    batch, world = spec.hyperparameters.batch_size, parallel.WORLD_SIZE
    return Batches(
        [len(row["input_ids"]) for row in rows],
        Division(
            batch=batch,
            micro=spec.plan.micro_batch or micro_batch(batch // world),
            processes=world,
            packed=spec.plan.packing,
        ),
        seed=spec.hyperparameters.seed,
        rank=parallel.RANK,
    )


def training_config(spec: Spec, *, steps: int) -> SFTConfig:
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
        warmup_steps=warmup_steps(spec, steps),
        weight_decay=chosen.weight_decay,
        max_grad_norm=chosen.max_grad_norm,
        neftune_noise_alpha=chosen.neftune_noise_alpha,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=spec.checkpoint_every_steps,
        save_total_limit=None,
        eval_strategy="no",  # Progress says when
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


def warmup_steps(spec: Spec, steps: int) -> int:
    """As many as were asked for, else the share of all steps, rounded up."""
    chosen = spec.hyperparameters
    if chosen.warmup_steps is None:
        return math.ceil(steps * chosen.warmup_ratio)
    return min(chosen.warmup_steps, steps)


def _measure(trainer: Any, reporter: Voice) -> None:
    """Record the kernels behind the figures."""
    reporter.measures.kernels = {
        "attention": str(trainer.model.config._attn_implementation),
        "loss": "chunked",
        "optimizer": str(trainer.args.optim),
        "precision": str(compute_dtype()),
    }


def lora_config(spec: Spec, model: Any) -> LoraConfig:
    """LoRA on the model's linear layers, as `targets` says which."""
    return LoraConfig(
        r=spec.hyperparameters.rank,
        lora_alpha=spec.hyperparameters.alpha,
        lora_dropout=spec.hyperparameters.dropout,
        use_rslora=spec.hyperparameters.use_rslora,
        target_modules=default_targets(model),
        task_type="CAUSAL_LM",
        bias="none",
    )
