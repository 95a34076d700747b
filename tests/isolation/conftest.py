"""Two users who have everything, and the ways in which one may try the other's."""

import uuid

import pytest

from tests.isolation.callers import Caller, as_the_web_process
from tests.isolation.world import World, build

WORD = "Zanzibarquokka"


@pytest.fixture
def first(db) -> World:
    """Whose data nobody else may see."""
    return build(WORD)


@pytest.fixture
def second(first) -> World:
    """Who tries."""
    return build("Pelican")


@pytest.fixture
def nowhere(first) -> dict[str, str]:
    """For each kind of thing an id that nobody has."""
    return {kind: str(uuid.uuid4()) for kind in first.ids}


@pytest.fixture(params=["session", "key"])
def intruder(request, second) -> Caller:
    if request.param == "session":
        return Caller(user=second.user)
    return Caller(token=second.key)


@pytest.fixture
def web(first, second):
    with as_the_web_process():
        yield
