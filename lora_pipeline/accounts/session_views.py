"""A user's sessions, and signing them out remotely."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.devices import device_of
from lora_pipeline.accounts.services import end_other_sessions, end_session
from lora_pipeline.models import BrowserSession


def sessions(request: HttpRequest) -> HttpResponse:
    """The user's sessions, the current one first."""
    own = BrowserSession.objects.visible_to(request.user)  # type: ignore[arg-type]
    key = request.session.session_key
    rows = [(row, device_of(row.user_agent), row.session_key == key) for row in own]
    rows.sort(key=lambda found: not found[2])
    return render(request, "sessions.html", {"rows": rows, "section": "sessions"})


@require_POST
def end(request: HttpRequest, handle: str) -> HttpResponse:
    """Sign out one session."""
    own = BrowserSession.objects.visible_to(request.user)  # type: ignore[arg-type]
    session = next((row for row in own if row.handle == handle), None)
    if session is None:
        raise Http404("Session not found.")
    end_session(session=session)
    messages.success(request, f"{device_of(session.user_agent)} was signed out.")
    return redirect("sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out all other sessions."""
    key = request.session.session_key
    count = end_other_sessions(user=request.user, kept_key=key)  # type: ignore[arg-type]
    words = (
        "There were no other sessions."
        if not count
        else "All other sessions were signed out."
    )
    messages.success(request, words)
    return redirect("sessions")
