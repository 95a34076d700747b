"""Pages on how a file is read: which column is what, which rows are taken."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from datasets.access import own_dataset
from datasets.checking.by_hand import preview
from datasets.domain.by_hand import PARTS, find_problem
from datasets.domain.formats.parts import WORDS, Part
from datasets.models import Dataset
from datasets.services import change_reading
from lora_pipeline.errors import Refusal
from lora_pipeline.web.requests import UserRequest

PART_WORDS = [(p, WORDS[Part(p)] if p != "ignore" else "not used") for p in PARTS]
CHOICES = {
    "chosen_only": "Reading the file again, with the chosen answers only.",
    "skip_bad_rows": "Reading the file again, without its bad rows.",
}


def mapping(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """The file's columns with three rows; the owner says which is what."""
    dataset = own_dataset(request.user, dataset_id)
    if request.method == "POST":
        return _keep(request, dataset)
    found = preview(dataset, _mapping(request.GET))
    fragment = request.headers.get("HX-Target", "") == "mapped"
    template = "datasets/mapping.html#mapped" if fragment else "datasets/mapping.html"
    return render(request, template, _context(dataset, found))


def _keep(request: UserRequest, dataset: Dataset) -> HttpResponse:
    asked = {} if "detect" in request.POST else _mapping(request.POST)
    problem = "" if "detect" in request.POST else find_problem(asked)
    if not problem:
        try:
            change_reading(dataset=dataset, mapping=asked)
        except Refusal as refusal:
            problem = refusal.message
        else:
            return redirect("dataset", dataset_id=dataset.pk)
    context = _context(dataset, preview(dataset, asked)) | {"refused": problem}
    return render(request, "datasets/mapping.html", context, status=422)


def _mapping(values: QueryDict) -> dict[str, str]:
    columns, parts = values.getlist("column"), values.getlist("part")
    return dict(zip(columns, parts, strict=False))


def _context(dataset: Dataset, found: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "section": "datasets",
        "found": found,
        "parts": PART_WORDS,
    }


@require_POST
def reading(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Read the file again with the chosen answers only, or without its bad rows."""
    dataset = own_dataset(request.user, dataset_id)
    wanted = {n: request.POST[n] == "1" for n in CHOICES if n in request.POST}
    try:
        change_reading(dataset=dataset, **wanted)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        for name in wanted:
            messages.success(request, CHOICES[name])
    return redirect("dataset", dataset_id=dataset.pk)
