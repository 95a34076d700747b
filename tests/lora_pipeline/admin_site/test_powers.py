"""What a permission does not name, nobody reaches by it; nobody adds to their own."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import RequestFactory

from lora_pipeline.models import User
from tests.factories import UserFactory
from tests.lora_pipeline.admin_site.test_admin import MODELS, address, client_of, staff
from tests.training.rows import add_rows

NOT_FOR_STAFF = 403
VERBS = {"unlock": "delete", "revoke": "change", "remove": "delete"}
"""The permission behind an action, where its verb is another."""


@pytest.fixture
def rows(owner):
    return add_rows(owner, "one")


@pytest.fixture
def group(db) -> Group:
    return Group.objects.create(name="operators")


@pytest.fixture
def plain(db) -> User:
    return UserFactory(username="plain")


def name_of(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def pages_of(model) -> Iterator[tuple[str, str]]:
    """Every page of a model, and the verbs that open it."""
    yield address(model), "view change"
    yield address(model, "add"), "add"
    if (row := model._default_manager.first()) is not None:
        yield address(model, "change", row.pk), "view change"
        yield address(model, "history", row.pk), "view change"
        yield address(model, "delete", row.pk), "delete"
        if model is User:
            yield f"/admin/lora_pipeline/user/{row.pk}/password/", "change"


def named_by(model, verbs: str) -> set[str]:
    opts = model._meta
    return {f"{opts.app_label}.{verb}_{opts.model_name}" for verb in verbs.split()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_all_other_permissions_together_open_no_page_of_a_model(model, rows, group):
    own = named_by(model, "view add change delete")
    others = [p for p in Permission.objects.all() if name_of(p) not in own]
    user = UserFactory(is_staff=True)
    user.user_permissions.set(others)
    client = client_of(user)
    for page, _ in pages_of(model):
        for method in (client.get, client.post):
            assert method(page).status_code == NOT_FOR_STAFF, page


def test_each_permission_alone_opens_what_it_names_and_no_more(rows, group):
    user = UserFactory(is_staff=True)
    client = client_of(user)
    pages = {model._meta.label_lower: list(pages_of(model)) for model in MODELS}
    for permission in Permission.objects.select_related("content_type"):
        user.user_permissions.set([permission])
        kind, name = permission.content_type, name_of(permission)
        own = pages.get(f"{kind.app_label}.{kind.model}", [])
        for page, verbs in [*own[1:], *pages["auth.group"][2:3]]:
            named = permission.codename.split("_")[0] in verbs.split()
            reached = client.get(page).status_code < 400
            assert named or not reached, (name, page)
        may_model(user.pk, name)


def may_model(user_id: object, name: str) -> None:
    """No admin says yes to what the one permission does not name, no action either."""
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=user_id)
    for model in MODELS:
        modeladmin = admin.site._registry[model]
        for verb in ("add", "change", "delete"):
            if getattr(modeladmin, f"has_{verb}_permission")(request):
                assert name in named_by(model, verb), (model, verb)
        if modeladmin.has_view_permission(request):
            assert name in named_by(model, "view change"), model
        for action, *_ in modeladmin.get_actions(request).values():
            [verb] = getattr(action, "allowed_permissions", ["delete"])
            assert name in named_by(model, VERBS.get(verb, verb)), (model, action)


@pytest.mark.parametrize("verb", ["view", "add", "change", "delete"])
def test_staff_never_widen_a_group(verb, group):
    member = UserFactory(is_staff=True)
    member.groups.add(group)
    power = Permission.objects.get(codename=f"{verb}_group")
    group.permissions.add(power)
    client = client_of(member)
    more = Permission.objects.get(codename="change_user")
    body = {"name": "operators", "permissions": [power.pk, more.pk]}
    for page in (address(Group, "change", group.pk), address(Group, "add")):
        assert client.post(page, body).status_code == NOT_FOR_STAFF
    delete = address(Group, "delete", group.pk)
    assert client.post(delete, {"post": "yes"}).status_code == NOT_FOR_STAFF
    choose = {"action": "delete_selected", "_selected_action": group.pk, "post": "yes"}
    client.post(address(Group), choose)
    assert [p.codename for p in group.permissions.all()] == [f"{verb}_group"]
    assert Group.objects.count() == 1


def test_a_superuser_still_makes_groups(group):
    client = client_of(User.objects.create_superuser("root", password="x"))
    power = Permission.objects.get(codename="view_user")
    body = {"name": "operators", "permissions": [power.pk]}
    page = address(Group, "change", group.pk)
    assert client.post(page, body).status_code == 302
    assert list(group.permissions.all()) == [power]


def person(**more) -> dict[str, object]:
    return {"username": "plain", "is_active": "on", "email": "", **more}


def test_who_may_change_users_gives_nobody_powers(plain, group):
    client = staff("lora_pipeline.change_user", "auth.change_group")
    power = Permission.objects.get(codename="change_user").pk
    powers = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk],
              "user_permissions": [power]}  # fmt: skip
    page = address(User, "change", plain.pk)
    assert client.post(page, person(first_name="P", **powers)).status_code == 302
    plain.refresh_from_db()
    assert plain.first_name == "P"
    assert not plain.is_staff
    assert not plain.is_superuser
    assert not plain.groups.exists()
    assert not plain.user_permissions.exists()


def test_who_may_add_users_adds_none_with_powers(db):
    client = staff("lora_pipeline.add_user", "lora_pipeline.change_user")
    body = {
        "username": "new", "password1": "staple battery", "password2": "staple battery",
        "usable_password": "true", "is_staff": "on", "is_superuser": "on",
    }  # fmt: skip
    assert client.post(address(User, "add"), body).status_code == 302
    new = User.objects.get(username="new")
    assert not new.is_staff
    assert not new.is_superuser


def test_who_may_change_users_changes_nobody_with_powers(plain, group):
    with_powers = {
        "staff": UserFactory(is_staff=True),
        "superuser": UserFactory(is_superuser=True),
        "member of a group": UserFactory(),
        "permitted": UserFactory(),
    }
    with_powers["member of a group"].groups.add(group)
    with_powers["permitted"].user_permissions.add(Permission.objects.first())
    client = staff("lora_pipeline.change_user")
    for who, user in with_powers.items():
        page = address(User, "change", user.pk)
        assert client.post(page, person()).status_code == NOT_FOR_STAFF, who
        word = {"password1": "staple battery", "password2": "staple battery"}
        page = f"/admin/lora_pipeline/user/{user.pk}/password/"
        assert client.post(page, word).status_code == NOT_FOR_STAFF, who
