"""With each owner filter taken away the database still shows nobody else's rows."""

import inspect
from typing import Any

import pytest
from django.apps import apps
from django.db.models import QuerySet

from lora_pipeline import row_security
from tests.isolation.callers import Caller
from tests.isolation.routes import open_to_all, owned
from tests.isolation.test_routes import is_refused, leaks, told_apart
from tests.isolation.world import rows_of, snapshot

OWN_APPS = {"lora_pipeline", "datasets", "training", "notifications"}
OWNER_NAMES = {"user", "owner", "dataset"}


def owner_filters() -> list[tuple[type[QuerySet[Any]], str]]:
    """Methods of our query sets that take the user whose rows are wanted."""
    found = {
        (kind, name)
        for model in apps.get_models()
        if model._meta.app_label in OWN_APPS
        for kind in [type(model._default_manager.get_queryset())]
        for name, method in vars(kind).items()
        if inspect.isfunction(method)
        and OWNER_NAMES & set(inspect.signature(method).parameters)
    }
    return sorted(found, key=lambda pair: (pair[0].__name__, pair[1]))


def named(pair: tuple[type, str]) -> str:
    return f"{pair[0].__name__}.{pair[1]}"


def test_every_query_set_of_a_users_things_has_an_owner_filter():
    assert {named(pair) for pair in owner_filters()} == {
        "AdapterQuerySet.visible_to",
        "ApiKeyQuerySet.visible_to",
        "DatasetQuerySet.deleted_of",
        "DatasetQuerySet.same_content",
        "DatasetQuerySet.visible_to",
        "DeliveryQuerySet.visible_to",
        "NotificationQuerySet.visible_to",
        "PreferenceQuerySet.visible_to",
        "TrainingJobQuerySet.visible_to",
        "WebhookQuerySet.visible_to",
    }


def everything(rows: QuerySet[Any], *_: Any) -> QuerySet[Any]:
    """What takes an owner filter's place."""
    return rows.all()


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


@pytest.mark.parametrize("pair", owner_filters(), ids=named)
def test_without_one_owner_filter_nothing_more_is_seen(
    pair, first, second, nowhere, web, monkeypatch
):
    kind, name = pair
    monkeypatch.setattr(kind, name, everything)
    pages, api = Caller(user=second.user), Caller(token=second.key)
    faults = []
    for ask in (*owned(), *open_to_all()):
        if ask.method == "GET":
            faults += told_apart(ask, api if ask.is_api else pages, first, nowhere)[1]
    assert faults == []


@pytest.fixture
def unfiltered(monkeypatch):
    """No query of any kind is narrowed to a user, by whatever words."""
    narrowing = QuerySet._filter_or_exclude

    def all_users(self, negate, args, kwargs):
        kept = {n: v for n, v in kwargs.items() if not names_a_user(n)}
        return narrowing(self, negate, args, kept)

    monkeypatch.setattr(QuerySet, "_filter_or_exclude", all_users)
    for kind, name in owner_filters():
        monkeypatch.setattr(kind, name, everything)


def names_a_user(lookup: str) -> bool:
    return lookup.removesuffix("_id").rpartition("__")[2] in {"user", "owner"}


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
    see_all = row_security.act_as_operator
    monkeypatch.setattr(row_security, "act_for", lambda user_id: see_all())
    shown = set()
    caller = Caller(user=second.user)
    for ask in open_to_all():
        asked = ask.for_ids(first.ids)
        if ask.method == "GET" and leaks(caller.send(asked), asked, first):
            shown.add(ask.name)
    assert {"home", "datasets", "jobs", "adapters", "keys", "notifications"} <= shown
    assert {"deliveries", "costs", "webhook-list", "notice-settings"} <= shown
