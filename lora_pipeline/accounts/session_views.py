"""A user's sessions, and signing them out remotely."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.access import own_session
from lora_pipeline.accounts.devices import device_of
from lora_pipeline.accounts.services import end_other_sessions, end_session
from lora_pipeline.models import BrowserSession
from lora_pipeline.tokens import hash_secret
from lora_pipeline.web.requests import UserRequest


def sessions(request: UserRequest) -> HttpResponse:
    """The user's sessions, the current one first."""
    own = BrowserSession.objects.visible_to(request.user)
    kept = _row_of(request)
    rows = [(row, device_of(row.user_agent), row.session_key == kept) for row in own]
    rows.sort(key=lambda found: not found[2])
    return render(request, "sessions.html", {"rows": rows, "section": "sessions"})


def _row_of(request: UserRequest) -> str:
    """Under which hash this browser's own session is kept."""
    return hash_secret(request.session.session_key or "")


@require_POST
def end(request: UserRequest, handle: str) -> HttpResponse:
    """Sign one browser out."""
    session = own_session(request.user, handle)
    end_session(session=session)
    messages.success(request, f"{device_of(session.user_agent)} was signed out.")
    return redirect("sessions")


@require_POST
def end_others(request: UserRequest) -> HttpResponse:
    """Sign out all other sessions."""
    count = end_other_sessions(user=request.user, kept=_row_of(request))
    words = (
        "There were no other sessions."
        if not count
        else "All other sessions were signed out."
    )
    messages.success(request, words)
    return redirect("sessions")
