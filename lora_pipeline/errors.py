"""What the console refuses, in words for whoever asked."""

from typing import Any

from rest_framework import exceptions, status


class Refusal(exceptions.APIException):
    """A rule of the product says no; carries the status, one sentence, the details.

    `wait` are the seconds of a Retry-After.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = status.HTTP_400_BAD_REQUEST,
        code: str = "refused",
        details: Any = None,
        wait: int | None = None,
    ) -> None:
        super().__init__(message, code)
        self.wait = wait
        self.status_code = status_code
        self.message = message
        self.code = code
        self.details = details
