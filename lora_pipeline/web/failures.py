"""Failures of the installation that have words of their own, unlike a bare 500."""

import logging
from dataclasses import dataclass

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from lora_pipeline.api.envelope import is_api, json_error
from lora_pipeline.files.durable import is_disk_full
from lora_pipeline.postgres import versions
from lora_pipeline.postgres.backend import outages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What to answer, and after how many seconds to try again (0: not said).

    `page` is a template that asks the database for nothing, for who cannot.
    """

    words: str
    status: int
    code: str
    retry_after: int = 0
    page: str = ""


DISK_FULL = Failure(
    words="The console's disk is full, so nothing of this request was kept. Send it "
    "again once an operator has made room.",
    status=507,
    code="disk_full",
)


DATABASE_AWAY = Failure(
    words=outages.WORDS,
    status=503,
    code="unavailable",
    retry_after=outages.RETRY_SECONDS,
    page="503.html",
)


ANOTHER_VERSION = Failure(
    words="The console is being upgraded: its program and its database are not of the "
    "same version. Nothing was changed. Try again in a minute.",
    status=503,
    code="unavailable",
    retry_after=60,
    page="503.html",
)


def known(error: BaseException | None) -> Failure | None:
    """The failure behind an exception; None for a fault of the program."""
    if is_disk_full(error):
        return DISK_FULL
    if outages.is_outage(error):
        return DATABASE_AWAY
    return ANOTHER_VERSION if _is_of_versions(error) else None


def _is_of_versions(error: BaseException | None) -> bool:
    """Whether the database refused what another version of it would take."""
    return isinstance(error, DatabaseError) and versions.are_apart()


def answer(request: HttpRequest, failure: Failure) -> HttpResponse:
    """JSON for the API, else a page; the log has the exception."""
    logger.exception("%s %s: %s", request.method, request.path, failure.code)
    response: HttpResponse
    if is_api(request):
        response = json_error(
            failure.words, status_code=failure.status, code=failure.code
        )
    elif failure.page:
        page = render_to_string(failure.page, {"words": failure.words})
        response = HttpResponse(page, status=failure.status)
    else:
        found = {"title": "Not possible now", "words": failure.words}
        response = render(request, "error.html", found, status=failure.status)
    if failure.retry_after:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response
