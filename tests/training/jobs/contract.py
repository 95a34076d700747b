"""The five endpoints of the contract, and which errors each can answer."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.openapi import conforms


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str

    def call(self, client: APIClient, *, data: Any = None, job: Any = "", **more):
        """Send it: a body as JSON, the job's id in the path, headers as `headers`."""
        address = self.path.replace("{id}", str(job or uuid.uuid4()))
        send: Callable[..., Any] = getattr(client, self.method.lower())
        if data is not None:
            more |= {"data": json.dumps(data), "content_type": "application/json"}
        return send(address + more.pop("query", ""), **more)

    def refused(self, answer: Any, status: int) -> dict[str, Any]:
        """The error of an answer that has this status, in the described shape."""
        assert answer.status_code == status, answer.content
        error = conforms(answer, self.method, self.path)
        assert set(error) == {"error", "code", "details"}
        return error


ENDPOINTS = {
    "estimate": Endpoint("POST", "/api/jobs/estimate"),
    "create": Endpoint("POST", "/api/jobs"),
    "list": Endpoint("GET", "/api/jobs"),
    "detail": Endpoint("GET", "/api/jobs/{id}"),
    "cancel": Endpoint("POST", "/api/jobs/{id}/cancel"),
}
ESTIMATE, CREATE, LIST, DETAIL, CANCEL = ENDPOINTS.values()
ALL = set(ENDPOINTS)
APPLIES = {
    # A list filters, so an unknown dataset there is an empty list; detail and cancel
    # take no body, and an id that is no UUID is an unknown job.
    400: {"estimate", "create", "list"},
    401: ALL,
    # Only creating spends; moving a job, which does too, is tested with budgets.
    402: {"create"},
    # A key that may only read may estimate: 403 there is a browser without its token.
    403: {"estimate", "create", "cancel"},
    404: {"estimate", "create", "detail", "cancel"},
    409: {"create", "cancel"},
    # What takes no body is not described with what happens to a body.
    413: {"estimate", "create"},
    415: {"estimate", "create"},
    429: ALL,
    500: ALL,
    507: {"estimate", "create"},
}


def rows(status: int) -> Any:
    names = sorted(APPLIES[status])
    return pytest.mark.parametrize(
        "endpoint", [ENDPOINTS[name] for name in names], ids=names
    )


def data_for(endpoint: Endpoint, full: dict[str, Any]) -> dict[str, Any] | None:
    """The body, for the endpoints that take one."""
    return full if endpoint in (ESTIMATE, CREATE) else None
