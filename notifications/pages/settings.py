"""Pages about what is sent out: the choices, the webhooks, the delivery log."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.errors import Refusal
from lora_pipeline.models import User
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
    """Where e-mail goes."""

    email = forms.EmailField(label="E-mail address", required=False, max_length=254)


class WebhookForm(forms.Form):
    """Where notices are posted to."""

    url = forms.CharField(label="URL", max_length=LONGEST_URL)


def notice_settings(request: HttpRequest) -> HttpResponse:
    """What goes where; a POST keeps the choices."""
    address = AddressForm(request.POST or None, initial={"email": request.user.email})  # type: ignore[union-attr]
    if request.method == "POST" and address.is_valid():
        choose(user=request.user, choices=_ticked(request.POST))  # type: ignore[arg-type]
        try:
            words = _take_address(request.user, address.cleaned_data["email"])  # type: ignore[arg-type]
        except Refusal as refusal:
            address.add_error("email", refusal.message)
            return _refused(request, refusal, address=address)
        messages.success(request, f"Your choices are kept. {words}".strip())
        return redirect("notice-settings")
    return _page(request, address=address)


def _take_address(user: User, email: str) -> str:
    """No address is taken at once, another once it is confirmed; what to do, in words.

    Raises Refusal where no link can be mailed there.
    """
    if email == user.email:
        return ""
    if not email:
        set_address(user=user, email="")
        return "No e-mail is sent to you any more."
    ask_to_confirm(user=user, email=email)
    return f"Open the link that was mailed to {email}: then notices go there."


def _refused(request: HttpRequest, refusal: Refusal, **found: Any) -> HttpResponse:
    """The page with what is wrong, and when to try again."""
    answer = _page(request, status=refusal.status_code, **found)
    if refusal.wait:
        answer.headers["Retry-After"] = str(refusal.wait)
    return answer


def confirm_address(request: HttpRequest) -> HttpResponse:
    """The link of a mail: from now on notices go to its address."""
    user = request.user
    email = confirmed_address(user.pk, request.GET.get("token", ""))  # type: ignore[arg-type]
    if email is None:
        words = "This link is of another user or older than a day: ask for a new one."
        messages.error(request, words)
    else:
        set_address(user=user, email=email)  # type: ignore[arg-type]
        messages.success(request, f"Notices are mailed to {email} from now on.")
    return redirect("notice-settings")


def _ticked(given: QueryDict) -> dict[str, tuple[bool, bool]]:
    """A box that is not ticked is not sent: every kind is chosen anew."""
    return {k: (f"email:{k}" in given, f"webhook:{k}" in given) for k in CHOSEN}


def _page(request: HttpRequest, status: int = 200, **found: Any) -> HttpResponse:
    user = request.user
    facts = {
        "choices": choices_of(user),  # type: ignore[arg-type]
        "webhooks": Webhook.objects.visible_to(user),  # type: ignore[arg-type]
        "email_is_possible": email_is_possible(),
        "address": AddressForm(initial={"email": user.email}),  # type: ignore[union-attr]
        "webhook": WebhookForm(),
        "section": "notifications",
    }
    page = "notifications/settings.html"
    return render(request, page, facts | found, status=status)


@require_POST
def webhook_add(request: HttpRequest) -> HttpResponse:
    """A new webhook; a refused one is told beside its field."""
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            add_webhook(owner=request.user, url=form.cleaned_data["url"])  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error("url", refusal.message)
        else:
            messages.success(request, "The webhook was added. Send it a test.")
            return redirect("notice-settings")
    return _page(request, status=422, webhook=form)


def own_webhook(request: HttpRequest, webhook_id: UUID) -> Webhook:
    """The user's webhook, or the one 404 for all that is not theirs."""
    own = Webhook.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (webhook := own.find(webhook_id)) is None:
        raise Http404("There is no such webhook among yours.")
    return webhook


@require_POST
def webhook_remove(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send nothing more there."""
    remove_webhook(webhook=own_webhook(request, webhook_id))
    messages.success(request, "The webhook was removed.")
    return redirect("notice-settings")


@require_POST
def webhook_wake(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send notices there again."""
    wake_webhook(webhook=own_webhook(request, webhook_id))
    messages.success(request, "The webhook is awake again. Send it a test.")
    return redirect("notice-settings")


@require_POST
def webhook_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """A test notice, to be followed in the log."""
    try:
        send_test(webhook=own_webhook(request, webhook_id))
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("notice-settings")
    messages.success(request, "A test is on its way: see below what became of it.")
    return redirect("deliveries")


@require_POST
def email_test(request: HttpRequest) -> HttpResponse:
    """A test e-mail, to be followed in the log."""
    try:
        send_test_email(user=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
        if refusal.wait:
            return _refused(request, refusal)
        return redirect("notice-settings")
    messages.success(request, "A test is on its way: see below what became of it.")
    return redirect("deliveries")


def deliveries(request: HttpRequest) -> HttpResponse:
    """What was sent out, newest first; for htmx only the list."""
    own = Delivery.objects.visible_to(request.user)  # type: ignore[arg-type]
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    active = any(not delivery.is_settled for delivery in page)
    found = {"page_obj": page, "active": active, "section": "notifications"}
    part = "#sent" if request.headers.get("HX-Request") else ""
    return render(request, f"notifications/deliveries.html{part}", found)


@require_POST
def delivery_again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Try once more what failed."""
    own = Delivery.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (delivery := own.find(delivery_id)) is None:
        raise Http404("There is no such delivery among yours.")
    if delivery.status == Delivery.Status.FAILED:
        send_again(delivery=delivery)
    return redirect("deliveries")
