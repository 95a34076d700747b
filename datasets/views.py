"""Pages of datasets: list, upload, one dataset, deletion."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from datasets.models import Dataset
from datasets.services import create_dataset, delete_dataset
from lora_pipeline.envelope import Refusal
from training.validation import UNKNOWN_DATASET

PAGE_SIZE = 20


class UploadForm(forms.Form):
    """A file of conversations, and what to call it."""

    file = forms.FileField(
        allow_empty_file=True,
        help_text="JSON Lines: one object with <code>messages</code> a line.",
    )
    name = forms.CharField(
        max_length=200, required=False, help_text="Empty: the file's name."
    )
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


def own_dataset(request: HttpRequest, dataset_id: UUID) -> Dataset:
    """The user's dataset, or the one 404 for all that is not theirs."""
    own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (dataset := own.find(dataset_id)) is None:
        raise Http404(UNKNOWN_DATASET)
    return dataset


def dataset_list(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    found = {"page_obj": page, "section": "datasets"}
    return render(request, "datasets/list.html", found)


def upload(request: HttpRequest) -> HttpResponse:
    """Take a file; a refused one is told beside the field."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = create_dataset(owner=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect("dataset", dataset_id=dataset.pk)
    found = {"form": form, "title": "Upload a dataset", "submit": "Upload"}
    return render(
        request, "form.html", found | {"section": "datasets", "back": "/datasets"}
    )


def detail(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Status, statistics, faults and samples; a fragment while it is checked."""
    found = {"dataset": own_dataset(request, dataset_id), "section": "datasets"}
    part = "#state" if request.headers.get("HX-Request") else ""
    return render(request, f"datasets/detail.html{part}", found)


@require_POST
def delete(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Put it away; its jobs stay."""
    dataset = own_dataset(request, dataset_id)
    delete_dataset(dataset=dataset)
    messages.success(request, f"{dataset.name} was deleted. Its jobs were kept.")
    return redirect("datasets")
