"""How many large bodies one user may send at once: each holds a thread while it comes.

The count is kept by locks on files, so that it holds over all web processes and ends
with the process that took it. A place is freed with the request, by LargeBodies.
"""

import fcntl
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from lora_pipeline.errors import Refusal
from lora_pipeline.processes.arrivals import GATHERED_BODY_BYTES

WAIT_SECONDS = 5


class LargeBodyThrottle(BaseThrottle):
    """For the API, when a key or a run's token has said who asks.

    Imported while REST framework's views are, and so without anything of them. Who is
    signed in by a session is known before: see the middleware LargeBodies.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Raises Refusal when all places of the user are taken."""
        if is_large(request._request):
            take_place(request._request, request.user)
        return True


def is_large(request: HttpRequest) -> bool:
    """Whether the body is more than the server gathers before it takes a thread."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) > GATHERED_BODY_BYTES
    except ValueError:
        return False


def take_place(request: HttpRequest, user: Any) -> None:
    """One of the user's places, until the request ends. Raises Refusal without one."""
    if not user.is_authenticated or hasattr(request, "body_place"):
        return
    most = settings.LARGE_BODIES_PER_USER
    place = free_place(str(user.pk), most)
    if place is None:
        raise Refusal(
            f"You are sending {most} large bodies, the most at once: wait for one to "
            "end, then send this again.",
            status_code=429,
            code="too_many_bodies",
            retry_after=WAIT_SECONDS,
        )
    request.body_place = place  # type: ignore[attr-defined]


def free_place(user_id: str, most: int) -> IO[bytes] | None:
    """A locked file of the user's, None when all are locked. Closing it frees it."""
    folder = Path(settings.VAR_DIR) / "places"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(most):
        file = (folder / f"{user_id}-{number}").open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            return file
    return None
