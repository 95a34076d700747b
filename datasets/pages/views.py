"""Pages of datasets: list, upload, one dataset, its examples, edit, versions."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from datasets.access import own_dataset, own_deleted_dataset
from datasets.domain.formats.declared import FORMATS
from datasets.domain.split import SPLITS
from datasets.downloads import normalised_file, original_file
from datasets.filters import DatasetFilter
from datasets.models import Dataset
from datasets.pages.context import detail_context
from datasets.pages.forms import EditForm, UploadForm, VersionForm
from datasets.rows import line_at, require_rows, rows_from
from datasets.services import (
    create_dataset,
    create_version,
    delete_dataset,
    edit,
    queue_measuring,
    restore_dataset,
)
from lora_pipeline.errors import Refusal
from lora_pipeline.web.own_address import below
from lora_pipeline.web.requests import UserRequest

PAGE_SIZE = 20
EXAMPLES_A_PAGE = 10
UNDO = "dataset-undo"
PARTS = {
    "": "datasets/detail.html",
    "live": "datasets/detail.html#live",
    "look": "datasets/_look.html#look",
}


@require_GET
def dataset_list(request: UserRequest) -> HttpResponse:
    """Datasets, newest first, with filters; deleted ones on request."""
    owner = request.user
    deleted = "deleted" in request.GET
    rows = Dataset.objects.deleted_of(owner) if deleted else None
    own = Dataset.objects.visible_to(owner).listed() if rows is None else rows.listed()
    asked = request.GET.copy()
    for name in [name for name, value in asked.items() if not value]:
        del asked[name]
    found = DatasetFilter(asked, queryset=own)
    shown = found.qs if found.is_valid() else own.none()
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "section": "datasets", "deleted": deleted}
    context |= {"statuses": Dataset.Status.choices, "filtered": bool(request.GET)}
    context |= {"undo": request.session.pop(UNDO, None), "asked": request.GET}
    return render(request, "datasets/list.html", context)


def upload(request: UserRequest) -> HttpResponse:
    """Upload a file; errors appear next to the field."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        dataset = attempt(form, create_dataset, owner=request.user, **values)
        if dataset is not None:
            return redirect("dataset", dataset_id=dataset.pk)
    found = {"form": form, "section": "datasets"}
    found |= {"upload_limit": settings.MAX_UPLOAD_BYTES, "formats": FORMATS}
    return render(request, "datasets/upload.html", found, status=form_status(form))


def attempt(form: forms.Form, service: Any, **values: Any) -> Any:
    """Call a service; put refusals on the form by field and return None."""
    try:
        return service(**values)
    except Refusal as refusal:
        details = refusal.details if isinstance(refusal.details, dict) else {}
        for field in details or {None: None}:
            form.add_error(field if field in form.fields else None, refusal.message)
        return None


def form_status(form: forms.Form) -> int:
    """422 for a submitted form with errors."""
    return 422 if form.is_bound and form.errors else 200


@require_GET
def detail(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """A dataset's page; htmx gets only the fragment it asks for."""
    found = detail_context(own_dataset(request.user, dataset_id), request.GET)
    template = PARTS.get(request.headers.get("HX-Target", ""), PARTS[""])
    return render(request, template, found)


@require_GET
def examples(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Normalised examples as chats."""
    dataset = own_dataset(request.user, dataset_id)
    split = request.GET.get("split", "train")
    if split not in SPLITS:
        raise Http404("Split not found.")
    try:
        total = require_rows(dataset, split)
    except Refusal:
        return redirect("dataset", dataset_id=dataset.pk)
    page = Paginator(range(total), EXAMPLES_A_PAGE).get_page(request.GET.get("page"))
    start = max(page.start_index() - 1, 0)
    rows = rows_from(dataset, split, start, EXAMPLES_A_PAGE) if total else []
    numbered = list(enumerate(rows, start + 1))
    found = {"dataset": dataset, "rows": numbered, "page_obj": page, "split": split}
    return render(request, "datasets/examples.html", found | {"section": "datasets"})


@require_GET
def example(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """One example whole, as it is stored: what the page of examples cut."""
    dataset = own_dataset(request.user, dataset_id)
    split, number = request.GET.get("split", "train"), request.GET.get("example", "1")
    if split not in SPLITS or not re.fullmatch(r"[1-9][0-9]{0,11}", number):
        raise Http404("There is no such example.")
    try:
        require_rows(dataset, split)
        line = line_at(dataset, split, int(number) - 1)
    except Refusal:
        return redirect("dataset", dataset_id=dataset.pk)
    if line is None:
        raise Http404("There is no such example.")
    return HttpResponse(line, content_type="application/json")


def edit_page(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Name, description, and the split while no job uses it."""
    dataset = own_dataset(request.user, dataset_id)
    first = {"name": dataset.name, "description": dataset.description}
    first |= split_values(dataset)
    in_use = dataset.jobs.exists()
    form = EditForm(request.POST or None, initial=first, in_use=in_use)
    if request.method == "POST" and form.is_valid():
        attempt(form, edit, dataset=dataset, changes=form.values())
        if not form.errors:
            messages.success(request, "Saved.")
            return redirect("dataset", dataset_id=dataset.pk)
    return form_page(request, dataset, form, title="Edit", submit="Save")


def version(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Create a new version of a dataset."""
    dataset = own_dataset(request.user, dataset_id)
    first = split_values(dataset)
    form = VersionForm(request.POST or None, request.FILES or None, initial=first)
    if request.method == "POST" and form.is_valid():
        later = attempt(form, create_version, dataset=dataset, **form.values())
        if later is not None:
            return redirect("dataset", dataset_id=later.pk)
    title = f"Version {dataset.version + 1} of {dataset.name}"
    return form_page(request, dataset, form, title=title, submit="Create version")


def split_values(dataset: Dataset) -> dict[str, Any]:
    """Initial form values for a dataset's split."""
    percent = round(dataset.validation_share * 100, 6)
    return {"validation_percent": percent, "split_seed": dataset.split_seed}


def form_page(
    request: UserRequest, dataset: Dataset, form: forms.Form, **words: str
) -> HttpResponse:
    """A simple form page with a link back to the dataset."""
    back = below(f"/datasets/{dataset.pk}")
    found = {"form": form, "section": "datasets", "back": back, **words}
    return render(request, "form.html", found, status=form_status(form))


@require_POST
def measure(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Count tokens with another base model's tokenizer."""
    dataset = own_dataset(request.user, dataset_id)
    chosen = request.POST.get("base_model", "")
    try:
        queue_measuring(dataset=dataset, base_model=chosen)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Counting tokens with {chosen}. Reload in a moment.")
    return redirect("dataset", dataset_id=dataset.pk)


@require_POST
def delete(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Delete a dataset; its jobs stay, and the list offers undo."""
    dataset = own_dataset(request.user, dataset_id)
    delete_dataset(dataset=dataset)
    request.session[UNDO] = {"id": str(dataset.pk), "name": dataset.name}
    return redirect("datasets")


@require_POST
def restore(request: UserRequest, dataset_id: UUID) -> HttpResponse:
    """Restore a deleted dataset."""
    dataset = own_deleted_dataset(request.user, dataset_id)
    restore_dataset(dataset=dataset)
    messages.success(request, f"{dataset.name} was restored.")
    return redirect("dataset", dataset_id=dataset.pk)


@require_GET
def download(request: UserRequest, dataset_id: UUID, part: str) -> HttpResponse:
    """Download the original file or a normalised split."""
    dataset = own_dataset(request.user, dataset_id)
    try:
        answer: FileResponse = (
            original_file(dataset)
            if part == "original"
            else normalised_file(dataset, part)
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("dataset", dataset_id=dataset.pk)
    return answer  # type: ignore[return-value]
