"""Which form an answer takes, and what OPTIONS says."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class WhatThereIs(DefaultContentNegotiation):
    """Answers in the view's first form when the Accept header names none of them.

    RFC 9110, section 12.5.1, allows it: a download asked for as application/zip can
    still say in JSON why there is none.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class AllowedMethods(BaseMetadata):
    """OPTIONS in the envelope: the methods that the address has."""

    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        return {"success": True, "data": {"allowed": view.allowed_methods}}
