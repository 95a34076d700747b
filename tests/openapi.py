"""Answers held against the OpenAPI description."""

from functools import cache
from typing import Any

import jsonschema
from drf_spectacular.generators import SchemaGenerator


@cache
def description() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operation(method: str, path: str) -> dict[str, Any]:
    return description()["paths"][path][method.lower()]


def faults(method: str, path: str) -> set[int]:
    """The error statuses that an operation is said to answer."""
    return {int(s) for s in operation(method, path)["responses"] if int(s) >= 400}


def validate(value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": description()["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(whole, format_checker=checker).validate(value)


def conforms(answer: Any, method: str, path: str) -> Any:
    """The JSON of an answer whose status, headers and shape are described."""
    described = operation(method, path)["responses"]
    status = str(answer.status_code)
    assert status in described, f"{method} {path} answered {status}: {answer.content}"
    for name, header in described[status].get("headers", {}).items():
        assert name in answer.headers or not header.get("required"), name
    validate(answer.json(), described[status]["content"]["application/json"]["schema"])
    return answer.json()
