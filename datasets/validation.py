"""Checking an uploaded file: every fault by line, statistics, the two splits."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from datasets.domain.records import MAX_LINE_BYTES, Conversation, Fault, read_line
from datasets.domain.split import held_out
from datasets.models import Dataset
from datasets.services import keep_result
from datasets.tokens import TokenCounter, counter_for_default_model

FORMAT = "openai_chat"
KEPT_FAULTS = 100
SAMPLES = 5


@dataclass(slots=True)
class Reading:
    """What one pass over a file found."""

    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    identities: list[bytes] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    turns: int = 0

    def add_faults(self, found: list[Fault]) -> None:
        self.fault_count += len(found)
        self.faults += found[: KEPT_FAULTS - len(self.faults)]

    def add(self, conversation: Conversation) -> None:
        text = json.dumps(conversation.messages, ensure_ascii=False)
        self.identities.append(hashlib.sha256(text.encode()).digest())
        self.turns += sum(m["role"] != "system" for m in conversation.messages)
        if len(self.samples) < SAMPLES:
            self.samples.append({"messages": list(conversation.messages)})


def check_dataset(dataset_id: str) -> None:
    """Bring a dataset from `validating` to `ready` or `error`."""
    dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
    if dataset is None or dataset.is_settled:
        return
    with default_storage.open(dataset.storage_path) as file:
        reading = read_all(file)
    if not reading.fault_count and not reading.identities:
        words = "The file has no conversations; give one a line."
        reading.add_faults([Fault(line=None, field="", message=words)])
    if reading.fault_count:
        _refuse(dataset, reading)
    else:
        _accept(dataset, reading)


def read_all(file: IO[bytes]) -> Reading:
    """One streaming pass that keeps no conversation but the samples."""
    reading = Reading()
    for number, raw in lines(file):
        found = read_line(number, raw)
        if isinstance(found, list):
            reading.add_faults(found)
        elif found is not None:
            reading.add(found)
    return reading


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of one that is too long only the beginning, to be refused."""
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        yield number, raw
        while not raw.endswith(b"\n") and (raw := file.readline(MAX_LINE_BYTES)):
            continue


def _refuse(dataset: Dataset, reading: Reading) -> None:
    faults = [fault.as_dict() for fault in reading.faults]
    if reading.fault_count > len(faults):
        more = f"and {reading.fault_count - len(faults):,} more faults"
        faults.append(Fault(line=None, field="", message=more).as_dict())
    keep_result(
        dataset,
        status=Dataset.Status.ERROR,
        training_ready=False,
        format=FORMAT if reading.identities else "",
        validation_errors=faults,
        validated_at=timezone.now(),
    )


def _accept(dataset: Dataset, reading: Reading) -> None:
    validation = held_out(reading.identities)
    counter = counter_for_default_model()
    tokens = _write_splits(dataset, validation, counter)
    training = len(reading.identities) - len(validation)
    keep_result(
        dataset,
        status=Dataset.Status.READY,
        training_ready=True,
        format=FORMAT,
        total_training_pairs=training,
        total_validation_pairs=len(validation),
        total_tokens=tokens,
        tokens_exact=counter.exact,
        avg_turns_per_conversation=reading.turns / len(reading.identities),
        avg_tokens_per_turn=tokens
        * len(reading.identities)
        / training
        / max(reading.turns, 1),
        validation_errors=[],
        sample_data=reading.samples,
        validated_at=timezone.now(),
    )


def _write_splits(dataset: Dataset, held: set[int], counter: TokenCounter) -> int:
    """Writes both normalised files anew; returns the tokens of the train split."""
    import tempfile

    tokens = 0
    with (
        tempfile.TemporaryFile() as train,
        tempfile.TemporaryFile() as validation,
        default_storage.open(dataset.storage_path) as file,
    ):
        for position, conversation in enumerate(_conversations(file)):
            row = json.dumps({"messages": conversation.messages}, ensure_ascii=False)
            (validation if position in held else train).write(row.encode() + b"\n")
            if position not in held:
                tokens += counter.count(conversation.messages)
        for split, written in (("train", train), ("validation", validation)):
            _replace(dataset.split_path(split), written)
    return tokens


def _conversations(file: IO[bytes]) -> Iterator[Conversation]:
    for number, raw in lines(file):
        found = read_line(number, raw)
        if isinstance(found, Conversation):
            yield found


def _replace(path: str, written: IO[bytes]) -> None:
    from django.core.files.base import File

    written.seek(0, 2)
    empty = written.tell() == 0
    written.seek(0)
    default_storage.delete(path)
    default_storage.save(path, ContentFile(b"") if empty else File(written))


def give_up(dataset_id: str) -> None:
    """Say that checking itself failed, so that nobody waits for ever."""
    words = "Checking failed on our side. Upload the file again, or ask an operator."
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    if dataset is not None:
        fault = Fault(line=None, field="", message=words).as_dict()
        keep_result(dataset, status=Dataset.Status.ERROR, validation_errors=[fault])
