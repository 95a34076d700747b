"""Schemathesis fills half of the ids with real ones, so that it gets past the 404."""

import json
import os
from typing import Any
from uuid import UUID

import schemathesis

IDS: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_IDS", "{}"))


def real(folder: str, drawn: object) -> object:
    """An id of the folder's for half of the UUIDs drawn, always the same for one."""
    try:
        number = UUID(str(drawn)).int
    except ValueError:
        return drawn
    known = IDS.get(folder, [])
    return known[number // 2 % len(known)] if known and number % 2 else drawn


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    folder = context.operation.path.split("/")[2]
    for name in ("id", "job_id"):
        if path_parameters and name in path_parameters:
            path_parameters[name] = real(folder, path_parameters[name])
    return path_parameters


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if isinstance(body, dict) and "dataset_id" in body:
        body["dataset_id"] = real("datasets", body["dataset_id"])
    return body
