"""Owner filters, and how to be without them: row-level security must then do alone."""

import inspect
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig, apps
from django.db.models import QuerySet

OWN_APPS = {"lora_pipeline", "datasets", "training", "notifications"}
OWNER_NAMES = {"user", "owner", "dataset"}
NARROWING = QuerySet._filter_or_exclude


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


def everything(rows: QuerySet[Any], *_: Any) -> QuerySet[Any]:
    """What takes an owner filter's place."""
    return rows.all()


def of_all_users(self: QuerySet[Any], negate: bool, args: Any, kwargs: Any) -> Any:
    """A filter without what it says of users."""
    kept = {name: v for name, v in kwargs.items() if not names_a_user(name)}
    return NARROWING(self, negate, args, kept)


def names_a_user(lookup: str) -> bool:
    return lookup.removesuffix("_id").rpartition("__")[2] in {"user", "owner"}


def take_all_away(put: Callable[[Any, str, Any], Any] = setattr) -> None:
    """No query of any kind is narrowed to a user any more, by whatever words."""
    put(QuerySet, "_filter_or_exclude", of_all_users)
    for kind, name in owner_filters():
        put(kind, name, everything)


class Unfiltered(AppConfig):
    name = "tests.isolation"
    label = "unfiltered"

    def ready(self) -> None:
        """For a server with `tests.isolation.unfiltered_settings`."""
        take_all_away()
