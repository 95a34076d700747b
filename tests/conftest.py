"""The test database: made by its owner, used as the working roles."""

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import User
from lora_pipeline.postgres.places import NOTE, SHELTER
from tests.factories import DatasetFactory, UserFactory
from tests.trainer.fixtures import console, own_console, shared_console, tiny_model
from training.models import GpuType

__all__ = ["console", "own_console", "shared_console", "tiny_model"]
END_OTHER_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: Playwright keeps its event loop until the session ends,
    and no command that runs one of its own could start beside it. Neither of two
    workers is left with the longest file at the end.
    """
    items.sort(
        key=lambda item: ("browser" in item.path.parts, "live" not in item.path.stem)
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Made as the owner; from here on connections open as the operator.

    Threads of a worker leave sessions open, in which the database cannot be dropped.
    """
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = "lp_operator"
    yield
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = ""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)


@pytest.fixture(scope="session", autouse=True)
def sheltered_databases(tmp_path_factory) -> Iterator[None]:
    """A console that root starts in a closed temporary folder keeps its database
    elsewhere: it goes with the session.
    """
    yield
    for note in SHELTER.glob(f"*/{NOTE}"):
        if Path(note.read_text()).is_relative_to(tmp_path_factory.getbasetemp()):
            shutil.rmtree(note.parent, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path: Path) -> Path:
    """Every test has a storage folder of its own."""
    storages = {**settings.STORAGES}
    storages["default"] = {
        "BACKEND": "lora_pipeline.files.storage.FolderStorage",
        "OPTIONS": {"location": tmp_path / "storage"},
    }
    settings.STORAGES = storages
    settings.RUNS_DIR = tmp_path / "runs"
    settings.RUNS_DIR.mkdir()
    return tmp_path / "storage"


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """A real hash takes a third of a second, for every user of every test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def catalogue(request) -> None:
    """A test that commits empties every table after it; the next finds them filled."""
    needs = {"db", "transactional_db"} & set(request.fixturenames)
    marked = request.node.get_closest_marker("django_db")
    if not needs and marked is None:
        return
    commits = marked is not None and marked.kwargs.get("transaction")
    request.getfixturevalue("transactional_db" if commits else "db")
    if not GpuType.objects.exists():
        rules = import_module("training.migrations.0002_rules")
        rules.enter_first_rows(apps, connection.schema_editor())


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory(username="owner")


@pytest.fixture
def stranger(db: None) -> User:
    return UserFactory(username="stranger")


@pytest.fixture
def dataset(owner: User):
    return DatasetFactory(user=owner)


@pytest.fixture
def key(owner: User) -> str:
    return create_api_key(owner=owner, name="tests")[1]


@pytest.fixture
def api(key: str) -> APIClient:
    """The owner's script, with an API key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def stranger_api(stranger: User) -> APIClient:
    client = APIClient()
    secret = create_api_key(owner=stranger, name="tests")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def browser_of_owner(owner: User) -> Client:
    """The owner's signed-in browser, without a browser."""
    client = Client()
    client.force_login(owner)
    return client
