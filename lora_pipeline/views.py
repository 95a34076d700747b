"""Home and API keys."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

from datasets.models import Dataset
from lora_pipeline.envelope import is_api, server_error
from lora_pipeline.home import MOST_DATASETS, next_step, work_of
from lora_pipeline.logs.request_ids import current_request_id
from lora_pipeline.models import ApiKey
from lora_pipeline.services import create_api_key, revoke_api_key
from training.costs import spend_of


@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    """What runs, what came of it, what to do next; for htmx what changes of it."""
    work = work_of(request.user)  # type: ignore[arg-type]
    found = {**work, "active": bool(work["running"] or work["waiting"])}
    if request.headers.get("HX-Request"):
        return render(request, "home.html#now", found)
    own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
    datasets = list(own[:MOST_DATASETS])
    found |= {"datasets": datasets, "step": next_step(work, datasets)}
    found["spend"] = spend_of(request.user, work["running"])  # type: ignore[arg-type]
    return render(request, "home.html", found)


class KeyForm(forms.Form):
    """What a new key is for."""

    name = forms.CharField(max_length=100, help_text="Where it will be used.")
    scope = forms.ChoiceField(
        choices=ApiKey.Scope,
        initial=ApiKey.Scope.WRITE,
        help_text="A key that may only read can still ask for estimates.",
    )
    days = forms.TypedChoiceField(
        label="Expires",
        choices=[
            ("", "Never"),
            (30, "In 30 days"),
            (90, "In 90 days"),
            (365, "In a year"),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        help_text="An expired key is refused; nothing else of it changes.",
    )


def keys(request: HttpRequest) -> HttpResponse:
    """The user's keys; a new one's secret is shown in this one answer only."""
    form, secret = KeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        secret = create_api_key(owner=request.user, **form.cleaned_data)[1]  # type: ignore[arg-type]
        form = KeyForm()
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    found = {"keys": own, "form": form, "secret": secret, "section": "keys"}
    return render(request, "keys.html", found)


@require_POST
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """End a key at once."""
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (key := own.filter(pk=key_id).first()) is None:
        raise Http404("There is no such key among yours.")
    revoke_api_key(key=key)
    messages.success(request, f"The key {key.name} was revoked.")
    return redirect("keys")


@login_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API's description to read and to try, served from here alone."""
    return render(request, "api_docs.html", {"section": "api-docs"})


def our_fault(request: HttpRequest) -> HttpResponse:
    """A 500 that no view raised: from middleware, or from the database."""
    if is_api(request):
        return server_error(request)
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(page, status=500)
