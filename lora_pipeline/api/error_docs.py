"""The API's error responses for the OpenAPI schema, one Fault per status."""

from dataclasses import dataclass
from typing import Any

from lora_pipeline.api.envelope import NOT_SIGNED_IN, error_body
from lora_pipeline.errors import NotYours, Rule

Schema = dict[str, Any]

NOTHING: Schema = {"type": "null"}
BY_FIELD: Schema = {
    "type": "object",
    "description": "All errors at once: field name to messages.",
    "additionalProperties": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
    },
}


def numbers(*names: str) -> Schema:
    """Schema of an object whose numeric fields are all required."""
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
    """An error response: when it happens, its schema and an example.

    `component` names the schema; equal schemas share a name.
    """

    when: str
    error: str
    code: str
    component: str = "Error"
    details: Any = None
    shape: Any = None

    @classmethod
    def of(cls, rule: Rule, **shape: Any) -> "Fault":
        """What a rule refuses, by its own words; `shape` are the other fields."""
        words = rule.words.format(**rule.example)
        told = {"when": rule.when, "error": words, "code": rule.code}
        return cls(**{"details": rule.details(words)} | told | shape)

    def example(self) -> dict[str, Any]:
        """An example body."""
        return error_body(self.error, self.code, self.details)

    def schema(self) -> Schema:
        """The JSON Schema of the body."""
        texts = {"error": {"type": "string"}, "code": {"type": "string"}}
        fields = texts | {"details": self.shape or NOTHING}
        return {"type": "object", "required": list(fields), "properties": fields}


FAULTS: dict[int, Fault] = {
    400: Fault(
        when="A value is missing, malformed or out of range, or the body is invalid.",
        error="One field to fix: see details.",
        code="invalid",
        component="FieldErrors",
        details={"limit": ["Received '101'; must be an integer from 1 to 100."]},
        shape=BY_FIELD,
    ),
    401: Fault(
        when="Not signed in, or the API key is unknown or revoked.",
        error=NOT_SIGNED_IN,
        code="not_authenticated",
    ),
    403: Fault(
        when="The API key is read-only, or the CSRF token is missing.",
        error="This API key is read-only.",
        code="key_scope",
    ),
    404: Fault(
        when="Unknown, deleted or somebody else's: the same words for all three.",
        error=str(NotYours("job")),
        code="not_found",
    ),
    413: Fault(
        when="The request body is too large, or your storage quota is used up.",
        error="The request body is larger than the limit of 2,097,152 bytes.",
        code="too_large",
        component="TooLargeError",
        shape={"anyOf": [NOTHING, BY_FIELD, QUOTA]},
    ),
    415: Fault(
        when="The request has an unsupported media type.",
        error="Received text/plain; send application/json.",
        code="unsupported_media_type",
    ),
    429: Fault(
        when="Too many requests per minute. Retry-After says when to try again.",
        error="Too many requests. Try again in 12 s.",
        code="throttled",
    ),
    500: Fault(
        when="Internal server error. Look up the request id in the server log.",
        error="Internal server error. Look up the request id in the server log.",
        code="server_error",
        component="ServerError",
        details={"request_id": "0f8c5a9d3f7b4e0f9a54a8a0f7f4c1de"},
        shape={
            "type": "object",
            "required": ["request_id"],
            "properties": {"request_id": {"type": "string"}},
        },
    ),
    507: Fault(
        when="The console's disk is full.",
        error="The console's disk is full, so nothing of this request was kept. Send "
        "it again once an operator has made room.",
        code="disk_full",
    ),
}
