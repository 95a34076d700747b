"""No list of the admin answers a question that it does not offer as a filter."""

import json

import pytest
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client

from lora_pipeline.admin_site.base import BoundedAdmin, offered_parameters
from lora_pipeline.models import BrowserSession, User
from lora_pipeline.tokens import hash_secret
from notifications.models import Webhook
from tests.factories import UserFactory
from tests.lora_pipeline.admin_site.test_admin import MODELS, address, staff
from tests.training.rows import add_rows
from training.models import TrainingJob

LOOKUPS = (
    "", "exact", "iexact", "contains", "icontains", "startswith", "istartswith",
    "endswith", "regex", "iregex", "in", "gt", "gte", "lt", "lte", "range", "isnull",
    "length", "year", "has_key", "0",
)  # fmt: skip
SECRETS = {
    "password", "session_key", "session_data", "secret", "token_hash", "key_hash",
    "url", "sample_data",
}  # fmt: skip


def secrets_of(modeladmin) -> set[str]:
    return SECRETS | set(getattr(modeladmin, "hidden", ()))


def paths_of(model: type[Model], depth: int = 2) -> list[str]:
    """Every field of a model and, by way of its relations, of those beside it."""
    found = ["pk"]
    for field in model._meta.get_fields():
        name = field.name
        found.append(name)
        if field.is_relation and field.related_model and depth > 1:
            found += [f"{name}__{p}" for p in paths_of(field.related_model, depth - 1)]
    return found


@pytest.fixture
def rows(owner):
    return add_rows(owner, "one")


@pytest.fixture
def everything_seen(db) -> Client:
    """A member of staff who may look at every table, and do nothing."""
    user = UserFactory(is_staff=True)
    looks = Permission.objects.filter(codename__startswith="view_")
    user.user_permissions.set(looks)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_admin_is_of_the_bounded_kind(model):
    assert isinstance(admin.site._registry[model], BoundedAdmin)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_lookup_is_allowed_but_those_of_the_filters(model, rf):
    modeladmin, request = admin.site._registry[model], rf.get("/")
    offered = offered_parameters(modeladmin, request)
    asked = {
        "__".join(filter(None, (path, lookup)))
        for path in paths_of(model, 3)
        for lookup in LOOKUPS
    }
    allowed = {a for a in asked if modeladmin.lookup_allowed(a, "a", request)}
    assert allowed <= offered
    secrets = secrets_of(modeladmin)
    assert not [name for name in offered if set(name.split("__")) & secrets]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_refuses_what_is_asked_of_it_beyond_its_filters(model, everything_seen):
    secret = [p for p in paths_of(model) if p.split("__")[-1] in SECRETS]
    for n, path in enumerate([*paths_of(model, 1), *secret]):
        popup = {"_popup": "1"} if n % 2 else {}
        asked = {f"{path}__startswith": "a", **popup}
        assert everything_seen.get(address(model), asked).status_code == 400, path


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_filters_that_a_list_shows_still_work(model, everything_seen):
    for name in offered_parameters(admin.site._registry[model], None):
        answer = everything_seen.get(address(model), {name: "1"})
        assert answer.status_code in {200, 302}, name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_list_shows_sorts_by_or_searches_a_secret(model, rf, everything_seen):
    modeladmin, request = admin.site._registry[model], rf.get("/")
    request.user = User(is_superuser=True, is_active=True)
    columns = set(modeladmin.get_list_display(request))
    searched = {name.strip("^=@").split("__")[0] for name in modeladmin.search_fields}
    assert not (columns | searched) & secrets_of(modeladmin)
    assert not modeladmin.date_hierarchy


def ordering(client, model, column: str) -> tuple[str, ...]:
    answer = client.get(address(model), {ORDER_VAR: column})
    assert answer.status_code == 200
    return answer.context["cl"].get_ordering(
        answer.wsgi_request, model._default_manager.all()
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_column_without_a_link_is_not_sorted_by(model, everything_seen):
    modeladmin = admin.site._registry[model]
    shown = everything_seen.get(address(model)).context["cl"]
    for n, name in enumerate(shown.list_display):
        if name not in (modeladmin.get_sortable_by(None) or ()):
            assert not [
                field
                for field in ordering(everything_seen, model, str(n))
                if str(field).lstrip("-") == name != model._meta.pk.name
            ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_popup_names_rows_by_their_key_alone(model, everything_seen):
    key = model._meta.pk
    for field in model._meta.concrete_fields:
        if field is not key:
            asked = {"_popup": "1", "_to_field": field.name}
            assert everything_seen.get(address(model), asked).status_code == 400


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_nothing_is_completed_that_no_form_completes(model, everything_seen):
    asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
    for field in model._meta.get_fields():
        answer = everything_seen.get(
            "/admin/autocomplete/", asked | {"field_name": field.name, "term": "a"}
        )
        assert answer.status_code == 403, field.name


def test_autocompletion_takes_no_lookup_and_needs_the_permission(
    everything_seen, rows, monkeypatch
):
    jobs = admin.site._registry[TrainingJob]
    monkeypatch.setattr(jobs, "autocomplete_fields", ["user"])
    asked = {
        "app_label": "training", "model_name": "trainingjob", "field_name": "user",
        "term": "", "password__startswith": "zzz",
    }  # fmt: skip
    answer = everything_seen.get("/admin/autocomplete/", asked)
    found = json.loads(answer.content)["results"]
    assert {tuple(sorted(row)) for row in found} == {("id", "text")}
    assert len(found) == User.objects.count()
    only_jobs = staff("training.view_trainingjob")
    assert only_jobs.get("/admin/autocomplete/", asked).status_code == 403


def test_a_session_is_not_read_from_the_list_of_sessions(owner):
    root = User.objects.create_superuser("root", password="x")
    superuser = Client()
    superuser.force_login(root)
    key = superuser.cookies["sessionid"].value
    spy = staff("lora_pipeline.view_browsersession")
    for start in (key[:1], hash_secret(key)[:1], "#"):
        asked = {"session_key__startswith": start}
        answer = spy.get(address(BrowserSession), asked)
        assert answer.status_code == 400
    shown = spy.get(address(BrowserSession)).content.decode()
    stored = BrowserSession.objects.get(user_id=root.pk)
    assert key not in shown
    assert stored.session_key not in shown
    thief = Client()
    thief.cookies["sessionid"] = stored.session_key
    assert thief.get("/admin/").status_code == 302


def test_a_webhooks_secret_stands_in_no_answer_of_the_api_but_the_first(api, owner):
    Webhook.objects.create(user=owner, url="https://a.example/x", secret="whsec_abc")
    for asked in ({}, {"secret__startswith": "w"}, {"ordering": "secret"}):
        assert "whsec_abc" not in api.get("/api/webhooks", asked).content.decode()
