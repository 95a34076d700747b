"""Every table stands in the admin, is read by whom it may be, and keeps its secrets."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lora_pipeline.admin_site.base import MOST_ROWS, ReadOnlyAdmin
from lora_pipeline.models import User
from tests.factories import TrainingJobFactory, UserFactory
from tests.training.rows import SECRET_PATH, TEXT, add_rows
from training.models import RunAttempt

MOST_QUERIES = 12
TECHNICAL = {
    "axes.AccessAttemptExpiration": "only with a setting that is off",
    "auth.Permission": "given on the pages of users and groups",
    "contenttypes.ContentType": "Django's own list of models",
    "sessions.Session": "its key is the secret in the cookie",
    "lora_pipeline.TaskDeath": "how often a task's worker died, for the worker alone",
    "procrastinate.ProcrastinateEvent": "what moved a task; the task says where it is",
    "procrastinate.ProcrastinatePeriodicDefer": "when a periodic task was last due",
    "procrastinate.ProcrastinateWorker": "worker processes, of no use to a person",
}
WRITABLE = {"User", "Group", "GpuType", "BaseModel"}
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = {"lora_pipeline", "datasets", "training", "notifications"}


def address(model, page="changelist", *args):
    return reverse(
        f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=args
    )


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(*permissions: str) -> Client:
    """A member of staff who may do what is named, as `app.codename`."""
    user = UserFactory(is_staff=True)
    for name in permissions:
        app, code = name.split(".")
        found = Permission.objects.get(content_type__app_label=app, codename=code)
        user.user_permissions.add(found)
    return client_of(user)


@pytest.fixture
def superuser(db) -> Client:
    return client_of(User.objects.create_superuser("root", password="x"))


@pytest.fixture
def rows(owner):
    return add_rows(owner, "one")


def test_every_model_has_an_admin():
    known = {model._meta.label for model in MODELS} | set(TECHNICAL)
    missing = [m._meta.label for m in apps.get_models() if m._meta.label not in known]
    assert missing == [], "register them, or say in TECHNICAL why not"


def test_the_rows_of_these_tests_fill_every_table_of_ours(rows):
    empty = [m for m in MODELS if m._meta.app_label in OURS and not m.objects.exists()]
    assert empty == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_operator_reads_the_list_and_a_row(model, superuser, rows):
    assert superuser.get(address(model)).status_code == 200
    if (row := model._default_manager.first()) is not None:
        answer = superuser.get(address(model, "change", row.pk))
        assert answer.status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_history_is_not_edited(model, superuser, rows):
    row = model._default_manager.first()
    if model.__name__ in WRITABLE:
        return
    assert isinstance(admin.site._registry[model], ReadOnlyAdmin)
    assert superuser.get(address(model, "add")).status_code == 403
    if row is not None:
        assert superuser.post(address(model, "change", row.pk), {}).status_code == 403
        assert superuser.post(address(model, "delete", row.pk)).status_code == 403


@pytest.mark.parametrize("model", ["user", "gputype", "basemodel"])
def test_what_history_names_is_not_deleted(model, superuser, rows):
    found = next(m for m in MODELS if m._meta.model_name == model)
    row = found.objects.first()
    answer = superuser.post(address(found, "delete", row.pk), {"post": "yes"})
    assert answer.status_code == 403


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_staff_without_the_permission_sees_nothing_of_a_model(model, rows):
    client = staff()
    row = model._default_manager.first()
    assert client.get(address(model)).status_code == 403
    if row is not None:
        assert client.get(address(model, "change", row.pk)).status_code in {302, 403}
        assert client.get(address(model, "history", row.pk)).status_code in {302, 403}
    assert address(model) not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_staff_who_may_look_may_look_and_nothing_else(model, rows):
    look = f"{model._meta.app_label}.view_{model._meta.model_name}"
    client = staff(look)
    page = client.get(address(model))
    assert page.status_code == 200
    assert '<select name="action"' not in page.content.decode()
    index = client.get("/admin/").content.decode()
    assert address(model) in index
    others = [address(m) for m in MODELS if m is not model]
    assert [other for other in others if f'"{other}"' in index] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_plain_user_gets_nothing(model, browser_of_owner, rows):
    answer = browser_of_owner.get(address(model))
    assert answer.status_code == 403
    assert "A job" not in answer.content.decode()


@pytest.mark.parametrize("place", ["/admin/", "/admin/fleet", "/admin/estimator"])
def test_a_plain_user_gets_none_of_the_other_pages(place, browser_of_owner):
    assert browser_of_owner.get(place).status_code == 403


@pytest.mark.parametrize(
    ("place", "permission"),
    [
        ("/admin/fleet", "training.view_fleet"),
        ("/admin/estimator", "training.view_calibrationrecord"),
    ],
)
def test_the_other_pages_need_a_permission_each(place, permission, rows):
    without, with_it = staff(), staff(permission)
    assert without.get(place).status_code == 403
    assert place not in without.get("/admin/").content.decode()
    assert with_it.get(place).status_code == 200
    assert place in with_it.get("/admin/").content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_page_shows_a_secret_or_what_people_train_on(model, superuser, rows):
    pages = [address(model)]
    if (row := model._default_manager.first()) is not None:
        pages.append(address(model, "change", row.pk))
    for page in pages:
        shown = superuser.get(page).content.decode()
        for secret in (TEXT, SECRET_PATH, "whsec_", "token-hash", "ended-one"):
            assert secret not in shown
        hashes = rows.user.api_keys.values_list("key_hash", flat=True)
        assert not [value for value in hashes if value in shown]


def queries(client, page) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(page).status_code == 200
    return len(seen)


@pytest.mark.parametrize("permissions", ["all", "one"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_takes_few_queries_however_many_rows(
    model, permissions, superuser, rows
):
    look = f"{model._meta.app_label}.view_{model._meta.model_name}"
    client = superuser if permissions == "all" else staff(look)
    few = queries(client, address(model))
    for n in range(5):
        add_rows(UserFactory(), f"more-{n}")
    for page in (address(model), address(model) + "?q=GPU"):
        many = queries(client, page)
        assert many <= MOST_QUERIES
    assert queries(client, address(model)) <= few


def test_a_list_pages_no_further_than_its_cap(superuser, rows, monkeypatch):
    monkeypatch.setattr("lora_pipeline.admin_site.base.MOST_ROWS", 3)
    for n in range(5):
        add_rows(UserFactory(), f"more-{n}")
    page = superuser.get(address(RunAttempt)).content.decode()
    assert "Showing the first 3 of more" in page
    assert MOST_ROWS == 10_000


def test_jobs_are_found_by_id_by_name_and_by_user(superuser, owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, name="Lamp, quick")
    TrainingJobFactory(name="other")
    page = address(type(job))
    for term in (str(job.pk), "lamp", "owner"):
        shown = superuser.get(page, {"q": term}).content.decode()
        assert "Lamp, quick" in shown
        assert ">other<" not in shown
    assert "Lamp" not in superuser.get(page, {"q": "quick"}).content.decode()
