"""Quotes a job: cost, duration and memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.conf import settings

from datasets.domain.counts import Counts
from datasets.models import Dataset
from training.domain.catalogue.gpus import Hardware
from training.domain.config import Hyperparameters, JobConfig
from training.domain.estimator.batches import packed
from training.domain.estimator.estimate import (
    Estimate,
    Machine,
    Workload,
    catalogue_estimate,
)
from training.domain.estimator.memory import DOES_NOT_FIT as EXCEEDS
from training.domain.estimator.model_estimate import ModelEstimate, estimate_job
from training.domain.estimator.plan import Place, Setup
from training.domain.estimator.priced import at_most_words, packing_words, priced
from training.domain.method import QLORA, Method
from training.domain.schedule import process_count
from training.estimates.answer import memory_answer
from training.estimates.calibration import knowledge
from training.estimates.checked import CheckedConfig
from training.estimates.lengths import counts_of, lengths_of
from training.estimates.lookup import Catalogue
from training.estimates.rules import (
    DOES_NOT_FIT,
    require_statistics,
    require_validation,
)
from training.models import BaseModel, GpuType

LARGEST_ON_CPU, LARGEST_ON_GPU = 8, 64
"""Upper bound of the automatic micro-batch; larger ones gain nothing."""


def quote(*, dataset: Dataset, asked: CheckedConfig) -> Estimate:
    """Estimate a job's cost and duration.

    Raises Refusal where the dataset has nothing to train on.
    """
    config = asked.config
    counts = counts_of(dataset, config.base_model)
    require_statistics(dataset, counts, config.hyperparameters.max_length)
    require_validation(dataset, config.hyperparameters)
    return estimate_on(
        asked.gpu, dataset=dataset, counts=counts, config=config, found=asked.found
    )


def estimate_on(
    gpu: GpuType,
    *,
    dataset: Dataset,
    counts: Counts,
    config: JobConfig,
    found: Catalogue,
) -> Estimate:
    """The estimate of one configuration on any GPU type.

    Without a base model in the request the figures come from the catalogue formula, and
    the model-aware estimate for the default model is in `aware`.
    """
    catalogue = _by_catalogue(gpu, counts, config)
    catalogue = replace(
        catalogue, warnings=(*catalogue.warnings, *_said(dataset, counts, config))
    )
    chosen, words = config.hyperparameters, tuple[str, ...]()
    if chosen.packing:
        pairs, rows = counts.pairs_at(chosen.max_length), _sequences(counts, chosen)
        words = (packing_words(pairs, rows, chosen.max_length),)
    aware = _aware(gpu, dataset, counts, config, found)
    if aware is None and config.base_model:
        words += _unknown_words(found.model, gpu)
    estimate = replace(catalogue, warnings=(*catalogue.warnings, *words))
    if aware is None:
        return estimate
    return (
        priced(estimate, aware) if config.base_model else replace(estimate, aware=aware)
    )


def require_memory(estimate: Estimate, config: JobConfig) -> None:
    """Require confirmation for a job that does not fit in memory.

    Raises Refusal (409) with the numbers and the smallest change that helps.
    """
    aware = estimate.aware
    if aware is None or aware.memory.verdict != EXCEEDS or config.confirm_memory:
        return
    memory = memory_answer(aware)
    change = f" {aware.change.sentence}" if aware.change else ""
    raise DOES_NOT_FIT.refusal(
        details={"memory": memory},
        required_gib=memory["required_gib"],
        available_gib=memory["available_gib"],
        gpu_type=config.gpu_type,
        change=change,
    )


def _said(dataset: Dataset, counts: Counts, config: JobConfig) -> Iterator[str]:
    """What the settings and statistics say about this training, as sentences."""
    yield from at_most_words(config.hyperparameters.early_stopping_patience)
    asked = config.base_model or settings.DEFAULT_BASE_MODEL
    if counts.base_model == asked:
        yield from counts.said_at(config.hyperparameters.max_length)
    elif (share := dataset.measuring.get(asked)) is not None:
        yield (
            f"Tokens are being counted by {asked} ({share:.0%}); until then these "
            f"figures are by {counts.base_model}."
        )
    else:
        yield (
            f"The tokenizer of {asked} is not on this machine, so these figures are "
            f"by that of {counts.base_model}; the run may have other steps."
        )


def _sequences(counts: Counts, chosen: Hyperparameters) -> int:
    """The sequences of an epoch; with packing, its rows."""
    if not chosen.packing:
        return counts.pairs_at(chosen.max_length)
    lengths = lengths_of(counts, max_length=chosen.max_length)
    return packed(lengths, chosen.max_length).pairs


def _by_catalogue(gpu: GpuType, counts: Counts, config: JobConfig) -> Estimate:
    work = Workload(
        training_pairs=_sequences(counts, config.hyperparameters),
        total_tokens=counts.tokens,
        batch_size=config.hyperparameters.batch_size,
        epochs=config.hyperparameters.epochs,
    )
    machine = Machine(
        usd_per_hour=gpu.usd_per_hour,
        tokens_per_second=gpu.tokens_per_second,
        count=min(config.gpu_count, gpu.max_count),
        storage_cost=gpu.storage_cost,
    )
    return catalogue_estimate(work, machine)


def _aware(
    gpu: GpuType,
    dataset: Dataset,
    counts: Counts,
    config: JobConfig,
    found: Catalogue,
) -> ModelEstimate | None:
    """None if the model's dimensions or the GPU's specifications are missing."""
    setup = setup_of(found.model, gpu, dataset, counts, config.hyperparameters)
    place = place_of(gpu, config.gpu_count, found.model)
    if setup is None or place is None:
        return None
    elsewhere = (place_of(g, 1, found.model) for g in found.machines if g != gpu)
    return estimate_job(
        _with_possible_micro_batch(setup, place),
        place,
        knowledge(found.version),
        downloaded=found.model is not None and found.model.is_here,
        checkpoint_every_steps=settings.CHECKPOINT_EVERY_STEPS,
        elsewhere=_bigger(place, [other for other in elsewhere if other]),
    )


def _bigger(place: Place, others: Sequence[Place]) -> list[Place]:
    """GPU types with more memory, in display order."""
    least = place.available_gib or 0.0
    return [other for other in others if (other.available_gib or 0.0) > least]


def _with_possible_micro_batch(setup: Setup, place: Place) -> Setup:
    """Drop explicit choices that no longer apply with a different GPU count."""
    processes = process_count(batch_size=setup.batch_size, gpu_count=place.gpu_count)
    share = setup.batch_size // processes
    if setup.micro_batch is None or share % setup.micro_batch == 0:
        return setup
    return replace(setup, micro_batch=None)


def setup_of(
    model: BaseModel | None,
    gpu: GpuType,
    dataset: Dataset,
    counts: Counts,
    chosen: Hyperparameters,
) -> Setup | None:
    """The job as estimator input."""
    architecture = model.architecture if model is not None else None
    if model is None or architecture is None or gpu.hardware is None:
        return None
    return Setup(
        base_model=model.pk,
        architecture=architecture,
        lengths=lengths_of(counts, max_length=chosen.max_length),
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        max_length=chosen.max_length,
        method=method_of(gpu.hardware, chosen),
        validation_pairs=dataset.total_validation_pairs or 0,
        micro_batch=chosen.micro_batch,
        gradient_checkpointing=chosen.gradient_checkpointing,
        eval_steps=chosen.eval_steps,
        early_stopping_patience=chosen.early_stopping_patience,
    )


def method_of(hardware: Hardware, chosen: Hyperparameters) -> Method:
    """The training method: precision by machine, NF4 for QLoRA."""
    quantised = chosen.method == QLORA
    precision = hardware.native_precision
    return Method(
        weights="nf4" if quantised else precision,
        rank=chosen.rank,
        packing=chosen.packing,
        dropout=chosen.dropout > 0,
    ).at(precision)


def place_of(gpu: GpuType, count: int, model: BaseModel | None) -> Place | None:
    """The machine as estimator input; None if its specifications are missing."""
    hardware = gpu.hardware
    if hardware is None:
        return None
    dimensions = model.architecture if model is not None else None
    return Place(
        hardware=hardware,
        gpu_count=min(count, gpu.max_count),
        available_gib=hardware.capacity_gib,
        qlora_works=not (dimensions and dimensions.is_mixture),
        largest_micro_batch=LARGEST_ON_CPU if gpu.is_cpu else LARGEST_ON_GPU,
    )


def _unknown_words(model: BaseModel | None, gpu: GpuType) -> tuple[str, ...]:
    """Why a request with a base model still got the catalogue estimate."""
    if model is None or model.architecture is None:
        size = model.parameters if model is not None else None
        known = f" ({size:,} parameters)" if size else ""
        return (
            f"The dimensions of this base model{known} are unknown, so this is the "
            "catalogue estimate: its time ignores the model's size, and whether it "
            "fits in memory is not known. An operator can add them in the admin, or "
            "by manage.py add_base_model.",
        )
    return (
        f"The speed of {gpu.name} is unknown, so this is the catalogue estimate, "
        "without a memory check.",
    )
