"""The exception for requests that break a rule of the product."""

from typing import Any

from rest_framework import exceptions, status


class Refusal(exceptions.APIException):
    """A request breaks a rule; carries the status, one sentence and the details."""

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
