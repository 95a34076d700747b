"""Pages of notifications: the list, opening one, marking as read."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from lora_pipeline.templatetags.words import count_of
from lora_pipeline.web.own_address import below
from lora_pipeline.web.requests import UserRequest
from notifications.access import own_notice
from notifications.api.filters import NotificationFilter
from notifications.models import Notification
from notifications.services import mark_all_read, mark_read

PAGE_SIZE = 20


def notification_list(request: UserRequest) -> HttpResponse:
    """Newest first; all of them, or what is unread."""
    own = Notification.objects.visible_to(request.user)
    kept = NotificationFilter(request.GET, queryset=own)
    page = Paginator(kept.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    found = {
        "page_obj": page,
        "only_unread": request.GET.get("read") == "false",
        "section": "notifications",
    }
    return render(request, "notifications/list.html", found)


def open_notice(request: UserRequest, notice_id: UUID) -> HttpResponse:
    """Mark it as read and redirect to its target."""
    notice = own_notice(request.user, notice_id)
    mark_read(notice=notice)
    if url_has_allowed_host_and_scheme(notice.action_url, allowed_hosts=None):
        return redirect(below(notice.action_url))
    return _to_list(request)


@require_POST
def read_notice(request: UserRequest, notice_id: UUID) -> HttpResponse:
    """Mark one as read; htmx gets its row and the bell."""
    notice = own_notice(request.user, notice_id)
    mark_read(notice=notice)
    if request.headers.get("HX-Request"):
        found = {"notice": notice, "oob": True}
        return render(request, "notifications/_marked.html", found)
    return _to_list(request)


@require_POST
def read_all(request: UserRequest) -> HttpResponse:
    """Mark all unread notifications as read."""
    marked = mark_all_read(user=request.user)
    messages.success(request, f"{count_of(marked, 'notification')} marked as read.")
    return _to_list(request)


def _to_list(request: UserRequest) -> HttpResponse:
    """Redirect to the same page of the same list."""
    query = request.GET.urlencode()
    return redirect(reverse("notifications") + (f"?{query}" if query else ""))
