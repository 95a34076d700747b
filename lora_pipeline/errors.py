"""What the console refuses, in words for whoever asked."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions, status


class Refusal(exceptions.APIException):
    """A rule of the product says no; carries the status, one sentence, the details."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int = status.HTTP_400_BAD_REQUEST,
        code: str = "refused",
        details: Any = None,
    ) -> None:
        super().__init__(message, code)
        self.status_code = status_code
        self.message = message
        self.code = code
        self.details = details


class NotYours(Http404):
    """One 404 for what is unknown, deleted or somebody else's, on pages and in the API.

    `kind` is what was asked for, such as "job".
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"There is no such {kind} among yours.")
