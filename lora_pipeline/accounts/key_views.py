"""The API keys page: create a key (shown once) and revoke it."""

from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.access import own_key
from lora_pipeline.accounts.services import create_api_key, revoke_api_key
from lora_pipeline.errors import Refusal
from lora_pipeline.models import ApiKey
from lora_pipeline.web.requests import UserRequest

MADE = "key_submission"
"""In the session: which submission made the last key."""


def new_submission() -> str:
    """A value for one form that is shown."""
    return uuid4().hex


class KeyForm(forms.Form):
    """Form for a new API key; `submission` tells a reload from another key."""

    submission = forms.CharField(
        max_length=64, required=False, widget=forms.HiddenInput, initial=new_submission
    )
    name = forms.CharField(max_length=100, help_text="What you will use this key for.")
    scope = forms.ChoiceField(
        choices=ApiKey.Scope,
        initial=ApiKey.Scope.WRITE,
        help_text="A read-only key can still request estimates.",
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
        help_text="An expired key stops working and stays in the list.",
    )


def keys(request: UserRequest) -> HttpResponse:
    """The user's keys; a new key's secret is shown in this response only.

    A reload of that page sends the form again: it makes no second key.
    """
    form, secret = KeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        submission = form.cleaned_data.pop("submission")
        if submission and submission == request.session.get(MADE):
            messages.info(request, "The key was already created and shown once.")
            return redirect("keys")
        try:
            secret = create_api_key(owner=request.user, **form.cleaned_data)[1]
            request.session[MADE] = submission
            form = KeyForm()
        except Refusal as refusal:
            form.add_error(None, refusal.message)
    own = ApiKey.objects.visible_to(request.user)
    found = {"keys": own, "form": form, "secret": secret, "section": "keys"}
    return render(request, "keys.html", found, status=422 if form.errors else 200)


@require_POST
def revoke_key(request: UserRequest, key_id: UUID) -> HttpResponse:
    """End a key at once."""
    key = own_key(request.user, key_id)
    revoke_api_key(key=key)
    messages.success(request, f"{key.name} was revoked.")
    return redirect("keys")
