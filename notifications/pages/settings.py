"""Pages of notification settings, webhooks and the delivery log."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.errors import Refusal
from lora_pipeline.models import User
from lora_pipeline.web.requests import UserRequest
from notifications.access import own_delivery, own_webhook
from notifications.messages import CHOSEN
from notifications.models import Delivery, Webhook
from notifications.preferences import choices_of, choose, email_is_possible, set_address
from notifications.sending.addresses import confirmed_address
from notifications.sending.queue import send_again
from notifications.sending.targets import LONGEST_URL
from notifications.webhooks import (
    add_webhook,
    ask_to_confirm,
    remove_webhook,
    send_test,
    send_test_email,
    wake_webhook,
)

PAGE_SIZE = 20


class AddressForm(forms.Form):
    """The e-mail address for notifications."""

    email = forms.EmailField(label="E-mail address", required=False, max_length=254)


class WebhookForm(forms.Form):
    """The URL of a webhook."""

    url = forms.CharField(label="URL", max_length=LONGEST_URL)


def notice_settings(request: UserRequest) -> HttpResponse:
    """Channels by kind of notification; a POST saves them."""
    address = AddressForm(request.POST or None, initial={"email": request.user.email})
    if request.method == "POST" and address.is_valid():
        choose(user=request.user, choices=_ticked(request.POST))
        try:
            words = _take_address(request.user, address.cleaned_data["email"])
        except Refusal as refusal:
            address.add_error("email", refusal.message)
            return _refused(request, refusal, address=address)
        messages.success(request, f"Settings saved. {words}".strip())
        return redirect("notification-settings")
    return _page(request, address=address)


def _take_address(user: User, email: str) -> str:
    """Clear the address at once, or mail a link that confirms a new one; returns what
    to do next, in words.

    Raises Refusal if no link can be mailed.
    """
    if email == user.email:
        return ""
    if not email:
        set_address(user=user, email="")
        return "You will receive no more e-mail."
    ask_to_confirm(user=user, email=email)
    return f"Open the link mailed to {email} to confirm the address."


def _refused(request: UserRequest, refusal: Refusal, **found: Any) -> HttpResponse:
    """The page with the error, and Retry-After if there is one."""
    answer = _page(request, status=refusal.status_code, **found)
    if refusal.wait:
        answer.headers["Retry-After"] = str(refusal.wait)
    return answer


def confirm_address(request: UserRequest) -> HttpResponse:
    """The link in a confirmation e-mail: take its address."""
    user = request.user
    email = confirmed_address(user.pk, request.GET.get("token", ""))
    if email is None:
        words = "The link belongs to another user or is older than a day."
        messages.error(request, f"{words} Request a new one.")
    else:
        set_address(user=user, email=email)
        messages.success(request, f"E-mail now goes to {email}.")
    return redirect("notification-settings")


def _ticked(given: QueryDict) -> dict[str, tuple[bool, bool]]:
    """Unticked boxes are not submitted, so every kind is set each time."""
    return {k: (f"email:{k}" in given, f"webhook:{k}" in given) for k in CHOSEN}


def _page(request: UserRequest, status: int = 200, **found: Any) -> HttpResponse:
    user = request.user
    facts = {
        "choices": choices_of(user),
        "webhooks": Webhook.objects.visible_to(user),
        "email_is_possible": email_is_possible(),
        "address": AddressForm(initial={"email": user.email}),
        "webhook": WebhookForm(),
        "section": "notifications",
    }
    page = "notifications/settings.html"
    return render(request, page, facts | found, status=status)


@require_POST
def webhook_add(request: UserRequest) -> HttpResponse:
    """Add a webhook; errors appear next to the field."""
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            add_webhook(owner=request.user, url=form.cleaned_data["url"])
        except Refusal as refusal:
            form.add_error("url", refusal.message)
        else:
            messages.success(
                request, "Webhook added. Send a test to check that it works."
            )
            return redirect("notification-settings")
    return _page(request, status=422, webhook=form)


@require_POST
def webhook_remove(request: UserRequest, webhook_id: UUID) -> HttpResponse:
    """Remove a webhook."""
    remove_webhook(webhook=own_webhook(request.user, webhook_id))
    messages.success(request, "Webhook removed.")
    return redirect("notification-settings")


@require_POST
def webhook_wake(request: UserRequest, webhook_id: UUID) -> HttpResponse:
    """Resume a paused webhook."""
    wake_webhook(webhook=own_webhook(request.user, webhook_id))
    messages.success(request, "The webhook is active again. Send it a test.")
    return redirect("notification-settings")


@require_POST
def webhook_test(request: UserRequest, webhook_id: UUID) -> HttpResponse:
    """Send a test notification and open the delivery log."""
    try:
        send_test(webhook=own_webhook(request.user, webhook_id))
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("notification-settings")
    messages.success(request, "Test sent. Its delivery status is shown below.")
    return redirect("deliveries")


@require_POST
def email_test(request: UserRequest) -> HttpResponse:
    """Send a test e-mail and open the delivery log."""
    try:
        send_test_email(user=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        if refusal.wait:
            return _refused(request, refusal)
        return redirect("notification-settings")
    messages.success(request, "Test sent. Its delivery status is shown below.")
    return redirect("deliveries")


def deliveries(request: UserRequest) -> HttpResponse:
    """Deliveries, newest first; htmx gets only the list."""
    own = Delivery.objects.visible_to(request.user)
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    active = any(not delivery.is_settled for delivery in page)
    found = {"page_obj": page, "active": active, "section": "notifications"}
    part = "#sent" if request.headers.get("HX-Request") else ""
    return render(request, f"notifications/deliveries.html{part}", found)


@require_POST
def delivery_again(request: UserRequest, delivery_id: UUID) -> HttpResponse:
    """Try once more what failed."""
    delivery = own_delivery(request.user, delivery_id)
    if delivery.status == Delivery.Status.FAILED:
        send_again(delivery=delivery)
    return redirect("deliveries")
