"""The OpenAPI description says what the API does, and its page asks no other host."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory
from tests.openapi import conforms, description, validate


def contents() -> Iterator[Any]:
    """Every body of the description: (where, its schema and examples)."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            bodies = {"request": operation.get("requestBody", {})}
            for name, body in (bodies | operation["responses"]).items():
                for media in body.get("content", {}).values():
                    yield pytest.param(media, id=f"{where} {name}")


@pytest.mark.parametrize("media", list(contents()))
def test_every_example_has_the_shape_it_stands_beside(media):
    for example in media.get("examples", {}).values():
        validate(example["value"], media["schema"])


def test_every_operation_names_its_answers_and_both_ways_to_sign_in():
    for path, methods in description()["paths"].items():
        for operation in methods.values():
            assert {"401", "429", "500"} <= set(operation["responses"]), path
            assert {"apiKey": []} in operation["security"]
            assert {"cookieAuth": []} in operation["security"]
            assert operation["summary"]
            assert len(operation["tags"]) == 1


@pytest.mark.parametrize(
    "path", ["/api/gpus", "/api/presets", "/api/base-models", "/api/jobs"]
)
def test_lists_answer_as_described(path, api, owner):
    TrainingJobFactory(user=owner)
    data = conforms(api.get(path), "GET", path)["data"]
    assert next(iter(data.values())), "an empty list proves no shape"


def test_datasets_and_adapters_answer_as_described(api, owner):
    dataset = DatasetFactory(user=owner)
    adapter = AdapterFactory(
        job=TrainingJobFactory(user=owner, dataset=dataset),
    )
    for name, row in (("datasets", dataset), ("adapters", adapter)):
        data = conforms(api.get(f"/api/{name}"), "GET", f"/api/{name}")["data"]
        assert data["pagination"]["total"] == len(data[name]) == 1
        conforms(api.get(f"/api/{name}/{row.pk}"), "GET", f"/api/{name}/{{id}}")
    path = f"/api/datasets/{dataset.pk}"
    changed = api.patch(path, {"name": "other"}, format="json")
    conforms(changed, "PATCH", "/api/datasets/{id}")
    conforms(api.delete(path), "DELETE", "/api/datasets/{id}")


def test_the_pages_scripts_and_styles_are_our_own_and_none_is_inline(browser_of_owner):
    page = browser_of_owner.get("/api/docs").content.decode()
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith(("/", "#", "data:,")), address
    for address in re.findall(r'"/static/([^"]+)"', page):
        assert finders.find(address), address
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=", page)


def test_the_page_is_for_signed_in_users_and_in_their_menu(browser_of_owner, db):
    answer = Client().get("/api/docs")
    assert (answer.status_code, answer.url) == (302, "/sign-in?next=/api/docs")
    assert 'href="/api/docs"' in browser_of_owner.get("/").content.decode()


def test_options_say_in_the_envelope_what_is_allowed(api):
    answer = api.options("/api/jobs").json()
    allowed = sorted(answer["data"]["allowed"])
    assert (answer["success"], allowed) == (True, ["GET", "HEAD", "OPTIONS", "POST"])
