"""Content negotiation and OPTIONS responses."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class WhatThereIs(DefaultContentNegotiation):
    """Uses the view's first renderer when the Accept header matches none.

    RFC 9110, section 12.5.1, allows it: a download requested as application/zip can
    still return its error as JSON.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class AllowedMethods(BaseMetadata):
    """OPTIONS in the envelope: the methods that the URL supports."""

    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        return {"success": True, "data": {"allowed": view.allowed_methods}}
