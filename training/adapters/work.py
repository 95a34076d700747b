"""Runs the trainer on a finished adapter: answering questions, merging."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from datasets.domain.faults import clean
from lora_pipeline.files.scratch import remove_scratch, scratch_folder
from training.adapters.archive import BadArchive, unpack_archive
from training.launchers.account import hand_over
from training.launchers.oneshot import WorkFailed, lines_of
from training.launchers.plain_files import open_below
from training.models import Adapter, AdapterExport, AdapterQuestion, Work

logger = logging.getLogger(__name__)
DIED = (
    "It ended the worker three times, most likely for lack of memory, and was given "
    "up. Try it again when less is running, or ask an operator."
)
OUR_FAULT = "Internal error. An operator can find the details in the worker's log."


def answer(question_id: str) -> None:
    """Answer a question with both models; saves each answer as it arrives."""
    asked = AdapterQuestion.objects.select_related("adapter__job__base_model")
    question = asked.filter(pk=question_id).first()
    if question is None or question.is_settled:
        return
    with kept_outcome(question), fetched(question.adapter) as (folder, arguments):
        (folder / "question.json").write_text(json.dumps(messages_of(question)))
        hand_over(folder)
        more = ["--question", str(folder / "question.json")]
        more += ["--max-new-tokens", str(question.max_new_tokens)]
        command = ["compare", *arguments, *more]
        for said in lines_of(command, seconds=settings.ASK_SECONDS):
            question.stage = said.get("stage", question.stage)
            for name in ("base", "adapter"):
                if name in said:  # a model may say NUL, which PostgreSQL cannot store
                    setattr(question, f"{name}_answer", clean(said[name]))
            keep(question, "stage", "base_answer", "adapter_answer")


def messages_of(question: AdapterQuestion) -> list[dict[str, str]]:
    """The conversation sent to both models."""
    system = [{"role": "system", "content": question.system}]
    asked = [{"role": "user", "content": question.question}]
    return (system if question.system else []) + asked


def merge(export_id: str) -> None:
    """Create the merged model's archive and store it with its checksum."""
    exports = AdapterExport.objects.select_related("adapter__job__base_model")
    export = exports.filter(pk=export_id).first()
    if export is None or export.is_settled:
        return
    with kept_outcome(export), fetched(export.adapter) as (folder, arguments):
        target = folder / "merged.zip"
        hand_over(folder)
        command = ["merge", *arguments, "--target", str(target)]
        for said in lines_of(command, seconds=settings.EXPORT_SECONDS):
            export.stage = said.get("stage", export.stage)
            export.archive_sha256 = said.get("sha256", export.archive_sha256)
            keep(export, "stage", "archive_sha256")
        export.size_bytes = target.stat().st_size
        with os.fdopen(open_below(folder, target.name), "rb") as file:
            path = f"adapters/{export.adapter.job_id}/merged.zip"
            export.storage_path = default_storage.save(path, File(file))
        if not keep(export, "size_bytes", "storage_path"):
            default_storage.delete(export.storage_path)


@contextmanager
def kept_outcome(work: AdapterQuestion | AdapterExport) -> Iterator[None]:
    """Sets the status: running inside the block, then done, or failed with a reason."""
    work.status, work.started_at = Work.RUNNING, timezone.now()
    work.stage, work.error = "Starting", ""
    keep(work, "status", "started_at", "stage", "error")
    try:
        yield
    except WorkFailed as error:
        work.status, work.error = Work.FAILED, str(error)
    except Exception:
        logger.exception("%r failed", work)
        work.status, work.error = Work.FAILED, OUR_FAULT
    else:
        work.status = Work.DONE
    work.stage, work.completed_at = "", timezone.now()
    keep(work, "status", "stage", "error", "completed_at")


def keep(work: AdapterQuestion | AdapterExport, *names: str) -> bool:
    """Write some fields; False if the row has been deleted in the meantime."""
    values = {name: getattr(work, name) for name in names}
    return bool(type(work).objects.filter(pk=work.pk).update(**values))


@contextmanager
def fetched(adapter: Adapter) -> Iterator[tuple[Path, list[str]]]:
    """A folder with the extracted adapter, and the trainer's arguments for the pair."""
    model = adapter.job.base_model
    with scratch_folder(f"adapter-{adapter.pk}") as folder:
        unpacked = folder / "adapter"
        with default_storage.open(adapter.storage_path) as stored:
            _unpack(stored, unpacked)
        named = str(model.folder or model.pk)
        arguments = ["--model", named, "--adapter", str(unpacked)]
        if revision := adapter.job.base_revision:
            arguments += ["--revision", revision]
        yield folder, arguments


def _unpack(stored: IO[bytes], folder: Path) -> None:
    try:
        unpack_archive(stored, folder, most_bytes=settings.MAX_ADAPTER_BYTES)
    except BadArchive as error:
        raise WorkFailed(f"The stored adapter is damaged: {error}") from error


def give_up_export(export_id: str, *, died: bool) -> None:
    """The task of merging failed for good."""
    _give_up(AdapterExport.objects.filter(pk=export_id).first(), died)


def give_up_question(question_id: str, *, died: bool) -> None:
    """The task of answering failed for good."""
    _give_up(AdapterQuestion.objects.filter(pk=question_id).first(), died)


def _give_up(work: AdapterQuestion | AdapterExport | None, died: bool) -> None:
    if work is None or work.is_settled:
        return
    remove_scratch(f"adapter-{work.adapter_id}")
    work.status, work.stage = Work.FAILED, ""
    work.error, work.completed_at = DIED if died else OUR_FAULT, timezone.now()
    keep(work, "status", "stage", "error", "completed_at")
