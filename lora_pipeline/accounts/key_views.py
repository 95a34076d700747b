"""The API keys page: create a key (shown once) and revoke it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.services import create_api_key, revoke_api_key
from lora_pipeline.models import ApiKey


class KeyForm(forms.Form):
    """Form for a new API key."""

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


def keys(request: HttpRequest) -> HttpResponse:
    """The user's keys; a new key's secret is shown in this response only."""
    form, secret = KeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        secret = create_api_key(owner=request.user, **form.cleaned_data)[1]  # type: ignore[arg-type]
        form = KeyForm()
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    found = {"keys": own, "form": form, "secret": secret, "section": "keys"}
    return render(request, "keys.html", found)


@require_POST
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key immediately."""
    own = ApiKey.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (key := own.filter(pk=key_id).first()) is None:
        raise Http404("API key not found.")
    revoke_api_key(key=key)
    messages.success(request, f"{key.name} was revoked.")
    return redirect("keys")
