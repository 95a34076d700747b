"""The OpenAPI schema, with the shapes that responses really have.

Views describe the bare data. The envelope, the pagination of lists and the possible
errors of an operation are derived here from the view.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.permissions import SAFE_METHODS

from lora_pipeline.api.error_docs import FAULTS, Fault
from lora_pipeline.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE

Schema = dict[str, Any]

CATALOGUE = {"gpus", "presets", "base-models"}
PAGE_PARAMETERS = [
    OpenApiParameter(
        "page",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
        description="Page number; a page past the end is empty.",
    ),
    OpenApiParameter(
        "limit",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_LIMIT,
            "default": DEFAULT_LIMIT,
        },
        description="Rows per page.",
    ),
]
PAGINATION: Schema = {
    "type": "object",
    "required": ["page", "limit", "total", "totalPages"],
    "properties": {
        "page": {"type": "integer", "minimum": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        "total": {"type": "integer", "minimum": 0},
        "totalPages": {"type": "integer", "minimum": 0},
    },
}
ONE_PAGE = {"page": 1, "limit": DEFAULT_LIMIT, "total": 1, "totalPages": 1}
DELETED: Schema = {
    "type": "object",
    "required": ["id", "deleted"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "deleted": {"type": "boolean", "const": True},
    },
}
RETRY_AFTER: Schema = {
    "description": "Seconds to wait before retrying.",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}
CHALLENGE: Schema = {
    "description": "How to authenticate.",
    "schema": {"type": "string"},
}
HEADERS = {429: {"Retry-After": RETRY_AFTER}, 401: {"WWW-Authenticate": CHALLENGE}}


class EnvelopeSchema(AutoSchema):
    """Describes one operation; a view may use a Fault as the response of a status."""

    def get_summary(self) -> str:
        """The first sentence of the action's docstring, or of a list's own words."""
        if not self._has_pages():
            return str(super().get_description()).partition("\n")[0].rstrip(".")
        words = str(getattr(self.view, "list_words", ""))
        return f"List {self._resource()}: {words[:1].lower()}{words[1:]}"

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring without its first line."""
        if self._has_pages():
            return ""
        return str(super().get_description()).partition("\n")[2].strip()

    def get_tags(self) -> list[str]:
        name = self._resource()
        return ["Catalogue" if name in CATALOGUE else name.capitalize()]

    def get_operation_id(self) -> str:
        """`jobs_estimate` rather than `jobs_estimate_create`."""
        action = getattr(self.view, "action", None)
        if action is None:
            return str(super().get_operation_id())
        return f"{self._resource()}_{action}".replace("-", "_")

    def get_override_parameters(self) -> list[Any]:
        return list(PAGE_PARAMETERS) if self._has_pages() else []

    def get_response_serializers(self) -> Any:
        if self.method == "DELETE":
            return {200: DELETED}
        return super().get_response_serializers()

    def _get_filter_parameters(self) -> list[Schema]:
        """List filters; an empty value filters nothing."""
        found: list[Schema] = super()._get_filter_parameters()  # type: ignore[no-untyped-call]
        for one in found:
            if one["schema"]["type"] != "array":
                one["allowEmptyValue"] = True
        return found

    def _resource(self) -> str:
        return str(self._tokenize_path()[0])

    def _has_pages(self) -> bool:
        return getattr(self.view, "action", None) == "list"

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        found = super()._get_response_bodies(direction)
        for status in self._usual_faults():
            if str(status) not in found:
                found[str(status)] = self._fault(FAULTS[status], status)
        return dict(sorted(found.items()))

    def _usual_faults(self) -> set[int]:
        """The operation's possible errors besides those that its view declares."""
        usual = {401, 429, 500}
        if self._get_request_body():  # type: ignore[no-untyped-call]
            usual |= {400, 413, 415, 507}
        if any(one["in"] == "query" for one in self._get_parameters()):
            usual |= {400}
        if "{" in self.path:
            usual |= {404}
        return usual if self.method in SAFE_METHODS else usual | {403}

    def _fault(self, fault: Fault, status: int) -> Schema:
        shape = self._component(fault.component, fault.schema())
        media = {
            "schema": shape,
            "examples": {fault.code: {"value": fault.example()}},
        }
        answer = {"description": fault.when, "content": {"application/json": media}}
        headers = HEADERS.get(status)
        return answer | ({"headers": headers} if headers else {})

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: Any,
        media_types: Any = None,
        direction: Any = "response",
    ) -> Schema:
        if isinstance(serializer, Fault):
            return self._fault(serializer, int(status_code))
        answer: Schema = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        media = answer.get("content", {}).get("application/json")
        if media is not None:
            answer["description"] = answer["description"] or "Done."
            media["schema"] = self._enveloped(media["schema"])
            for example in media.get("examples", {}).values():
                example["value"] = self._enveloped_value(example["value"])
        return answer

    def _enveloped(self, data: Schema) -> Schema:
        if data.get("type") == "array":
            data = self._listed(data)
        fields = {"success": {"type": "boolean", "const": True}, "data": data}
        return {"type": "object", "required": list(fields), "properties": fields}

    def _listed(self, rows: Schema) -> Schema:
        fields: Schema = {self._list_key(): rows}
        if self._has_pages():
            fields["pagination"] = self._component("Pagination", PAGINATION)
        return {"type": "object", "required": list(fields), "properties": fields}

    def _component(self, name: str, schema: Schema) -> Schema:
        """A reference to a schema that many operations share."""
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name
        )
        self.registry.register_on_missing(component)
        return dict(component.ref)

    def _enveloped_value(self, data: Any) -> Schema:
        if isinstance(data, list):
            pages = {"pagination": ONE_PAGE} if self._has_pages() else {}
            data = {self._list_key(): data} | pages
        return {"success": True, "data": data}

    def _get_paginator(self) -> None:
        """Pages are described above, in the envelope."""

    def _list_key(self) -> str:
        """The key of a list's rows in the response, such as `base_models`."""
        given = getattr(self.view, "list_key", None) if self._has_pages() else None
        return given or self._resource().replace("-", "_")


def described(data: Any, words: str) -> OpenApiResponse:
    """A success response with its own description."""
    return OpenApiResponse(data, description=words)


def asked(name: str, value: Any) -> OpenApiExample:
    """An example of a request."""
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: Any) -> OpenApiExample:
    """An example of response data; the schema adds the envelope."""
    return OpenApiExample(name, value, response_only=True)
