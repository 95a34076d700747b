"""Adapter pages: the list, one adapter and its actions."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.errors import Refusal
from lora_pipeline.files import downloads
from lora_pipeline.web.own_address import below
from lora_pipeline.web.requests import UserRequest
from training.adapters import services as adapters
from training.adapters.access import own_adapter
from training.adapters.page import (
    archive_of,
    lineage_rows,
    merged_archive_of,
    questions_of,
    snippets,
)
from training.jobs.access import own_job
from training.jobs.setting_formats import setting_rows
from training.models import Adapter, AdapterExport, Work

PAGE_SIZE = 20


class AskForm(forms.Form):
    """A question for the base model and the adapter."""

    question = forms.CharField(
        max_length=adapters.LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    system = forms.CharField(
        label="System message",
        max_length=adapters.LONGEST_SYSTEM,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    max_new_tokens = forms.IntegerField(
        label="Maximum answer length, tokens",
        min_value=1,
        max_value=adapters.MOST_NEW_TOKENS,
        initial=adapters.DEFAULT_NEW_TOKENS,
    )


class RenameForm(forms.Form):
    """A new name for an adapter."""

    name = forms.CharField(max_length=200)


def adapter_list(request: UserRequest) -> HttpResponse:
    """Newest first; those whose name or base model contains a text."""
    own = Adapter.objects.visible_to(request.user).with_job()
    search = request.GET.get("search", "").replace("\0", "")[:200]
    kept = own.filter(name__icontains=search) if search else own
    page = Paginator(kept, PAGE_SIZE).get_page(request.GET.get("page"))
    found = {"page_obj": page, "search": search, "section": "adapters"}
    return render(request, "adapters/list.html", found)


def adapter_page(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """An adapter's page; htmx gets only the work in progress."""
    adapter = own_adapter(request.user, adapter_id)
    part = "#work" if request.headers.get("HX-Request") else ""
    return _page(request, adapter, part=part)


def _page(
    request: UserRequest,
    adapter: Adapter,
    *,
    part: str = "",
    status: int = 200,
    **found: Any,
) -> HttpResponse:
    export = AdapterExport.objects.filter(adapter=adapter).first()
    questions = questions_of(adapter)
    open_ones = [w for w in (export, *questions) if w is not None and not w.is_settled]
    facts = {
        "adapter": adapter,
        "export": export,
        "questions": questions,
        "busy": bool(open_ones),
        "lineage": lineage_rows(adapter.lineage),
        "settings": setting_rows(adapter.lineage.get("hyperparameters") or {}),
        "snippets": snippets(adapter),
        "ask": AskForm(),
        "section": "adapters",
    }
    return render(request, f"adapters/detail.html{part}", facts | found, status=status)


def archive(request: UserRequest, adapter_id: UUID) -> HttpResponseBase:
    """Download the archive or a byte range."""
    return downloads.download(
        request, archive_of(own_adapter(request.user, adapter_id))
    )


def merged_archive(request: UserRequest, adapter_id: UUID) -> HttpResponseBase:
    """Download the merged model or a byte range."""
    adapter = own_adapter(request.user, adapter_id)
    export = AdapterExport.objects.filter(adapter=adapter, status=Work.DONE).first()
    if export is None:
        raise Http404("This adapter has no merged model yet.")
    return downloads.download(request, merged_archive_of(export))


@require_POST
def rename(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """Rename an adapter."""
    adapter, form = own_adapter(request.user, adapter_id), RenameForm(request.POST)
    if form.is_valid():
        adapters.rename_adapter(adapter=adapter, name=form.cleaned_data["name"])
        messages.success(request, f"Renamed to {adapter}.")
    else:
        messages.error(
            request, "The name was not changed: it must have 1 to 200 characters."
        )
    return redirect(adapter)


@require_POST
def delete(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """Delete an adapter permanently, after confirmation on the page."""
    adapter = own_adapter(request.user, adapter_id)
    adapters.delete_adapter(adapter=adapter, by=request.user.get_username())
    messages.success(request, f"{adapter} was deleted. Its job stays on record.")
    return redirect("adapters")


@require_POST
def export(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """Start a merged export."""
    try:
        adapters.start_export(adapter=own_adapter(request.user, adapter_id))
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("adapter", adapter_id=adapter_id)


@require_POST
def ask(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """Ask both models; errors appear next to the field."""
    adapter, form = own_adapter(request.user, adapter_id), AskForm(request.POST)
    if form.is_valid():
        try:
            adapters.ask(adapter=adapter, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            return redirect(f"{adapter.get_absolute_url()}#side-by-side")
    return _page(request, adapter, status=422, ask=form)


@require_POST
def clear(request: UserRequest, adapter_id: UUID) -> HttpResponse:
    """Delete answered questions."""
    adapters.clear_questions(adapter=own_adapter(request.user, adapter_id))
    return redirect(below(f"/adapters/{adapter_id}#side-by-side"))


def adapter(request: UserRequest, job_id: UUID) -> HttpResponseBase:
    """Download the adapter of a job."""
    job = own_job(request.user, job_id)
    if job.artifact is None:
        raise Http404("This job has no adapter.")
    return downloads.download(request, archive_of(job.artifact))
