"""The list of notices."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from notifications.models import Notification

PAGE_SIZE = 20


def notification_list(request: HttpRequest) -> HttpResponse:
    """Newest first; a POST marks all as read."""
    own = Notification.objects.visible_to(request.user)  # type: ignore[arg-type]
    if request.method == "POST":
        own.unread().update(read=True)
        return redirect("notifications")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    found = {"page_obj": page, "section": "notifications"}
    return render(request, "notifications/list.html", found)
