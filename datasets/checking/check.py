"""Validates an uploaded file: from `validating` to `ready` or `error`."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from datasets.checking.by_hand import format_by_hand
from datasets.checking.progress import Abandoned, Progress
from datasets.checking.result import keep_result
from datasets.checking.splits import Normalised, Reading, scratch_name, write_splits
from datasets.checking.structure import Structure, check_structure
from datasets.domain.faults import Fault, FaultLog
from datasets.models import Dataset, DatasetStatistics
from datasets.stored_files import stored_bytes
from datasets.tokens.measure import measure_dataset
from lora_pipeline.files.scratch import remove_scratch


def check_dataset(dataset_id: str) -> None:
    """Take a dataset to its final state. Anything half done is redone."""
    dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
    if dataset is None or dataset.is_settled:
        return
    remove_scratch(scratch_name(dataset))
    try:
        _check(dataset, Progress(dataset))
    except Abandoned:
        return


def _check(dataset: Dataset, progress: Progress) -> None:
    progress.enter("structure", 0.0, 0.1)
    structure = check_structure(
        dataset.storage_path,
        progress.at,
        format_by_hand(dataset),
        chosen_only=dataset.chosen_only,
    )
    log = structure.log
    if dataset.validation_file_path and structure.format:
        _check_validation_file(dataset, structure, progress)
    dataset.sha256 = structure.sha256
    _say_same_file(dataset, log)
    _leave_out_bad_rows(dataset, structure)
    if log.error_count or structure.format is None:
        _refuse(dataset, structure)
        return
    progress.enter("splits", 0.1, 0.3)
    reading = Reading(
        format=structure.format,
        chosen_only=dataset.chosen_only,
        has_validation=structure.has_validation,
    )
    written = write_splits(dataset, reading, log, progress.at)
    if reading.format.preference and not dataset.chosen_only:
        log.warn_first(Fault(kind="preference_data", found=_pairs(reading, written)))
    if not written.training:
        found = f"{written.validation} examples, all of them in the validation split"
        log.add(Fault(kind="empty_file", found=found))
        _refuse(dataset, structure)
        return
    progress.enter("tokens", 0.3, 1.0)
    statistics = measure_dataset(
        dataset,
        settings.DEFAULT_BASE_MODEL,
        turns=written.training_turns,
        tell=progress.at,
    )
    for words in statistics.counts.warnings():
        log.add(Fault(kind="chat_template", found=words.rstrip(".")))
    _accept(dataset, structure, written, statistics)


def _pairs(reading: Reading, written: Normalised) -> str:
    """What the file holds, in words that name both sides."""
    count = written.training + written.validation
    if reading.format.preference == "label":
        return f"{count:,} answers marked good or bad (KTO)"
    return f"{count:,} pairs of a chosen and a rejected answer"


def _leave_out_bad_rows(dataset: Dataset, structure: Structure) -> None:
    """Take the dataset without the rows that have errors, where its owner says so.

    Not where the file could not be read to its end, or has no row without errors. The
    errors stay on record among the warnings, with how many rows they left out.
    """
    log = structure.log
    dataset.bad_rows = 0
    wanted = dataset.skip_bad_rows and structure.is_readable and structure.examples
    if not wanted or not log.error_count or not log.are_of_rows:
        return
    dataset.bad_rows = len(log.bad_lines)
    words = f"{dataset.bad_rows:,} of {structure.rows:,} rows"
    log.forgive(Fault(kind="rows_left_out", found=words))


def _check_validation_file(
    dataset: Dataset, structure: Structure, progress: Progress
) -> None:
    """Adds its errors to the others, marked as the validation file's."""
    found = check_structure(
        dataset.validation_file_path, progress.at, expected=structure.format
    )
    kept = [*found.log.errors, *found.log.warnings]
    for fault in kept:
        structure.log.add(replace(fault, file="validation"))
    for kind, count in found.log.counts.items():
        unseen = count - sum(fault.kind == kind for fault in kept)
        structure.log.counts[kind] += unseen


def _say_same_file(dataset: Dataset, log: FaultLog) -> None:
    for other in Dataset.objects.same_content(dataset).order_by("created_at")[:3]:
        if other.pk == dataset.previous_id:
            continue
        when = f"{other.created_at:%Y-%m-%d}"
        found = f"same content as {other.name!r} of {when} ({other.pk})"
        log.add(Fault(kind="same_file", found=found))


def _refuse(dataset: Dataset, structure: Structure) -> None:
    keep_result(
        dataset,
        **_findings(dataset, structure),
        status=Dataset.Status.ERROR,
        training_ready=False,
        total_training_pairs=None,
        total_validation_pairs=None,
        total_tokens=None,
        label_starts=[],
        tokens_exact=False,
        sample_data=[],
    )


def _accept(
    dataset: Dataset,
    structure: Structure,
    written: Normalised,
    statistics: DatasetStatistics,
) -> None:
    trainable = statistics.examples - statistics.never_learned
    if dataset.is_preference_with(structure.format):
        trainable = written.training
    keep_result(
        dataset,
        **_findings(dataset, structure),
        status=Dataset.Status.READY,
        training_ready=trainable > 0
        and not dataset.is_preference_with(structure.format),
        total_training_pairs=trainable,
        total_validation_pairs=written.validation,
        total_tokens=statistics.tokens,
        label_starts=statistics.label_starts,
        tokens_exact=statistics.exact,
        avg_turns_per_conversation=written.turns
        / (written.training + written.validation),
        avg_tokens_per_turn=statistics.tokens / max(written.training_turns, 1),
        sample_data=written.samples,
    )


def _findings(dataset: Dataset, structure: Structure) -> dict[str, Any]:
    log = structure.log
    return {
        "format": structure.format.name if structure.format else "",
        "container": structure.container,
        "sha256": structure.sha256,
        "validation_errors": [fault.as_dict() for fault in log.errors],
        "validation_warnings": [fault.as_dict() for fault in log.warnings],
        "fault_counts": dict(log.counts),
        "bad_rows": dataset.bad_rows,
        "validated_at": timezone.now(),
        "stored_bytes": stored_bytes(dataset),
        "stage": "",
        "progress": 1.0,
    }


def give_up(dataset_id: str, kind: str = "our_fault") -> None:
    """Record that validation itself failed, so that nobody waits forever."""
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    if dataset is not None:
        fault = Fault(kind=kind)
        keep_result(
            dataset,
            status=Dataset.Status.ERROR,
            stage="",
            training_ready=False,
            validation_errors=[fault.as_dict()],
            fault_counts={kind: 1},
        )


def give_up_waiting(dataset_id: str, *, died: bool) -> None:
    """The task of checking failed for good; `died` says that it ended its workers."""
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    if dataset is not None and dataset.status == Dataset.Status.VALIDATING:
        remove_scratch(scratch_name(dataset))
        give_up(dataset_id, "check_ended" if died else "our_fault")
