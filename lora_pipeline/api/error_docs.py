"""What the API refuses, in words: one Fault a status, for the OpenAPI description."""

from dataclasses import dataclass
from typing import Any

from lora_pipeline.api.envelope import NOT_SIGNED_IN, error_body

Schema = dict[str, Any]

NOTHING: Schema = {"type": "null"}
BY_FIELD: Schema = {
    "type": "object",
    "description": "Every fault at once: field name to messages.",
    "additionalProperties": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
    },
}


def numbers(*names: str) -> Schema:
    """An object of numbers that are always there."""
    fields = {name: {"type": "number"} for name in names}
    return {"type": "object", "required": list(names), "properties": fields}


QUOTA: Schema = {
    "type": "object",
    "description": "The quota that is used up, by its name at /api/quotas.",
    "required": ["quota", "used", "limit", "needed"],
    "properties": {
        "quota": {"type": "string"},
        **{name: {"type": "integer"} for name in ("used", "limit", "needed")},
    },
}
NOTHING_OR_QUOTA: Schema = {"anyOf": [NOTHING, QUOTA]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error answer: when it happens, its shape, and an example.

    `component` names the shape in the description; equal shapes share a name.
    """

    when: str
    error: str
    code: str
    component: str = "Error"
    details: Any = None
    shape: Any = None

    def example(self) -> dict[str, Any]:
        """The body as it is sent."""
        return error_body(self.error, self.code, self.details)

    def schema(self) -> Schema:
        """The JSON Schema of the body."""
        texts = {"error": {"type": "string"}, "code": {"type": "string"}}
        fields = texts | {"details": self.shape or NOTHING}
        return {"type": "object", "required": list(fields), "properties": fields}


FAULTS: dict[int, Fault] = {
    400: Fault(
        when="A value is missing, malformed or out of range; or nothing can be read.",
        error="One field to correct: see details.",
        code="invalid",
        component="FieldErrors",
        details={"limit": ["Received '101'; give a whole number from 1 to 100."]},
        shape=BY_FIELD,
    ),
    401: Fault(
        when="Not signed in, or the API key is unknown or revoked.",
        error=NOT_SIGNED_IN,
        code="not_authenticated",
    ),
    403: Fault(
        when="The key may only read, or a browser sent no CSRF token.",
        error="This key may only read.",
        code="key_scope",
    ),
    404: Fault(
        when="Unknown, deleted or somebody else's: the same words for all three.",
        error="There is no such job among yours.",
        code="not_found",
    ),
    413: Fault(
        when="The body is larger than is accepted here, or your storage is full.",
        error="The body is larger than the 2,097,152 bytes that are accepted here.",
        code="too_large",
        component="TooLargeError",
        shape={"anyOf": [NOTHING, BY_FIELD, QUOTA]},
    ),
    415: Fault(
        when="The body has another media type than the one described.",
        error="Received text/plain; send application/json.",
        code="unsupported_media_type",
    ),
    429: Fault(
        when="Too many requests in a minute; Retry-After says when to try again.",
        error="Too many requests: try again in 12 s.",
        code="throttled",
    ),
    500: Fault(
        when="Our own fault; the request id finds it in the log.",
        error="Something went wrong on our side; the request id finds it in the log.",
        code="server_error",
        component="ServerError",
        details={"request_id": "0f8c5a9d3f7b4e0f9a54a8a0f7f4c1de"},
        shape={
            "type": "object",
            "required": ["request_id"],
            "properties": {"request_id": {"type": "string"}},
        },
    ),
}
