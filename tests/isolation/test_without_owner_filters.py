"""With each owner filter taken away the database still shows nobody else's rows."""

from typing import Any

import pytest
from django.db.models import Value

from lora_pipeline.postgres import compiled, row_security
from tests.isolation.callers import Caller
from tests.isolation.routes import open_to_all, owned
from tests.isolation.test_routes import is_refused, leaks, told_apart
from tests.isolation.unfiltered import everything, owner_filters, take_all_away
from tests.isolation.world import rows_of, snapshot


def named(pair: tuple[type, str]) -> str:
    return f"{pair[0].__name__}.{pair[1]}"


def test_every_query_set_of_a_users_things_has_an_owner_filter():
    assert {named(pair) for pair in owner_filters()} == {
        "AdapterQuerySet.visible_to",
        "ApiKeyQuerySet.visible_to",
        "BrowserSessionQuerySet.visible_to",
        "DatasetQuerySet.deleted_of",
        "DatasetQuerySet.same_content",
        "DatasetQuerySet.visible_to",
        "DeliveryQuerySet.visible_to",
        "NotificationQuerySet.visible_to",
        "PreferenceQuerySet.visible_to",
        "TrainingJobQuerySet.visible_to",
        "WebhookQuerySet.visible_to",
    }


def found_by(caller: Caller, first: Any, nowhere: dict[str, str], *methods: str):
    """What of the first user's shows, and which refusals fail."""
    faults = []
    for ask in (*owned(), *open_to_all()):
        if ask.method not in methods:
            continue
        answer, found = told_apart(ask, caller, first, nowhere)
        faults += found
        if "{" in ask.path.partition("?")[0] and not is_refused(ask, answer, caller):
            faults.append(f"{ask} answers {answer.status}")
    return faults


@pytest.mark.long
@pytest.mark.parametrize("pair", owner_filters(), ids=named)
def test_without_one_owner_filter_nothing_more_is_seen(
    pair, first, second, nowhere, web, monkeypatch
):
    kind, name = pair
    monkeypatch.setattr(kind, name, everything)
    compiled.forget()
    pages, api = Caller(user=second.user), Caller(token=second.key)
    faults = []
    for ask in (*owned(), *open_to_all()):
        if ask.method == "GET":
            faults += told_apart(ask, api if ask.is_api else pages, first, nowhere)[1]
    compiled.forget()
    assert faults == []


@pytest.fixture
def unfiltered(monkeypatch):
    take_all_away(monkeypatch.setattr)
    compiled.forget()
    yield
    compiled.forget()


@pytest.mark.parametrize("way", ["session", "key"])
def test_without_any_owner_filter_nothing_is_seen_nor_changed(
    way, first, second, nowhere, web, unfiltered
):
    with row_security.operator():
        before = rows_of(first, snapshot())
    by_session, by_key = Caller(user=second.user), Caller(token=second.key)
    caller = by_session if way == "session" else by_key
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert found_by(caller, first, nowhere, *methods) == []
    with row_security.operator():
        assert rows_of(first, snapshot()) == before


def test_without_row_security_the_walk_finds_all(
    first, second, nowhere, web, unfiltered, monkeypatch
):
    """The tests above can fail: it is the database that keeps them green."""
    see_all = {"role": row_security._set_config("role", Value("lp_operator"))}
    monkeypatch.setattr(row_security, "from_then_on", lambda user: see_all)
    shown = set()
    caller = Caller(user=second.user)
    for ask in open_to_all():
        asked = ask.for_ids(first.ids)
        if ask.method == "GET" and leaks(caller.send(asked), asked, first):
            shown.add(ask.name)
    assert {"home", "datasets", "jobs", "adapters", "keys", "notifications"} <= shown
    assert {"deliveries", "costs", "api-webhook-list", "notification-settings"} <= shown
