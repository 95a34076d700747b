"""Where a user is signed in, and signing out from afar."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lora_pipeline.accounts.devices import device_of
from lora_pipeline.accounts.services import end_other_sessions, end_session
from lora_pipeline.models import BrowserSession
from lora_pipeline.tokens import hash_secret


def sessions(request: HttpRequest) -> HttpResponse:
    """The user's sessions, this one first."""
    own = BrowserSession.objects.visible_to(request.user)  # type: ignore[arg-type]
    kept = _row_of(request)
    rows = [(row, device_of(row.user_agent), row.session_key == kept) for row in own]
    rows.sort(key=lambda found: not found[2])
    return render(request, "sessions.html", {"rows": rows, "section": "sessions"})


def _row_of(request: HttpRequest) -> str:
    """Under which hash this browser's own session is kept."""
    return hash_secret(request.session.session_key or "")


@require_POST
def end(request: HttpRequest, handle: str) -> HttpResponse:
    """Sign one browser out."""
    own = BrowserSession.objects.visible_to(request.user)  # type: ignore[arg-type]
    session = next((row for row in own if row.handle == handle), None)
    if session is None:
        raise Http404("There is no such session among yours.")
    end_session(session=session)
    messages.success(request, f"{device_of(session.user_agent)} was signed out.")
    return redirect("sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    kept = _row_of(request)
    count = end_other_sessions(user=request.user, kept=kept)  # type: ignore[arg-type]
    words = "Nobody else was signed in." if not count else "Signed out everywhere else."
    messages.success(request, words)
    return redirect("sessions")
