"""Callers of the API: by session and by key."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from lora_pipeline.accounts.services import create_api_key
from tests.factories import TrainingJobFactory
from tests.training.jobs.test_api import body
from training.models import TrainingJob

TOKEN = "t" * 32


@pytest.fixture
def session(owner) -> APIClient:
    """The owner's browser, which sends its CSRF token."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(owner)
    client.cookies["csrftoken"] = TOKEN
    client.credentials(HTTP_X_CSRFTOKEN=TOKEN)
    return client


@pytest.fixture(params=["session", "key"])
def caller(request, db) -> APIClient:
    return request.getfixturevalue({"session": "session", "key": "api"}[request.param])


@pytest.fixture
def full(dataset) -> dict[str, Any]:
    """A body that creates a job."""
    return body(dataset, preset_id="custom")


@pytest.fixture
def job(owner, dataset) -> TrainingJob:
    return TrainingJobFactory(user=owner, dataset=dataset)


@pytest.fixture
def reader(owner) -> APIClient:
    """A script whose key may only read."""
    client = APIClient()
    secret = create_api_key(owner=owner, name="reader", scope="read")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client
