"""The exception for requests that break a rule of the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404
from rest_framework import exceptions, status


class Refusal(exceptions.APIException):
    """A rule of the product says no; carries the status, one sentence, the details.

    `retry_after` are the seconds of that header.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = status.HTTP_400_BAD_REQUEST,
        code: str = "refused",
        details: Any = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code)
        self.status_code = status_code
        self.message = message
        self.code = code
        self.details = details
        self.wait = retry_after  # REST framework's name for the header Retry-After


class NotYours(Http404):
    """One 404 for anything that is not the user's, on pages and in the API.

    Unknown, deleted and someone else's give the same words. `kind` is what was asked
    for, such as "job".
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind.capitalize()} not found.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is refused: raised by services, described by the API.

    `words` name values in braces, of which `example` has some; `when` says it in
    general. With a `field_name` the words are also that field's fault.
    """

    code: str
    words: str
    when: str
    status_code: int = status.HTTP_409_CONFLICT
    field_name: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)

    def refusal(self, *, details: Any = None, **values: Any) -> Refusal:
        """The exception to raise, with these values in its words."""
        words = self.words.format(**values)
        return Refusal(
            words,
            status_code=self.status_code,
            code=self.code,
            details=self.details(words) if details is None else details,
        )

    def details(self, words: str) -> dict[str, list[str]] | None:
        """The fault of the rule's field, None without one."""
        return {self.field_name: [words]} if self.field_name else None
