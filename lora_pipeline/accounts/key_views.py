"""The page of API keys: making one, shown once, and revoking it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.services import create_api_key, revoke_api_key
from lora_pipeline.errors import Refusal
from lora_pipeline.models import ApiKey


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
        try:
            secret = create_api_key(owner=request.user, **form.cleaned_data)[1]  # type: ignore[arg-type]
            form = KeyForm()
        except Refusal as refusal:
            form.add_error(None, refusal.message)
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    found = {"keys": own, "form": form, "secret": secret, "section": "keys"}
    return render(request, "keys.html", found, status=422 if form.errors else 200)


@require_POST
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """End a key at once."""
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (key := own.filter(pk=key_id).first()) is None:
        raise Http404("There is no such key among yours.")
    revoke_api_key(key=key)
    messages.success(request, f"The key {key.name} was revoked.")
    return redirect("keys")
