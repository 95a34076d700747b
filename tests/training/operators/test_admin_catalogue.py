"""What operators change: prices with their history, base models, budgets."""

from decimal import Decimal

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client

from lora_pipeline.models import User
from tests.factories import TrainingJobFactory, UserFactory
from training.models import BaseModel, GpuPrice, GpuType

GPU = "/admin/training/gputype"
MODEL = "/admin/training/basemodel"
PRICES = {
    "prices-TOTAL_FORMS": 0,
    "prices-INITIAL_FORMS": 0,
    "prices-MIN_NUM_FORMS": 0,
    "prices-MAX_NUM_FORMS": 0,
}


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db):
    return client_of(UserFactory(username="root", is_staff=True, is_superuser=True))


def staff(*codes: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return client_of(user)


def form_of(client, page) -> dict[str, object]:
    """What the page's form would send unchanged."""
    form = client.get(page).context["adminform"].form
    filled = {name: form[name].value() for name in form.fields}
    shown = {
        name: form.fields[name].prepare_value(value)
        if isinstance(value, (dict, list))
        else value
        for name, value in filled.items()
    }
    return {name: value for name, value in shown.items() if value not in (None, False)}


def change(client, page, **changes):
    body = form_of(client, page) | changes | PRICES
    return client.post(page, {k: v for k, v in body.items() if v is not None})


def errors(answer) -> str:
    return " ".join(" ".join(words) for words in answer.context["errors"])


def test_a_new_price_makes_history_and_leaves_jobs_their_own(root, owner, dataset):
    job = TrainingJobFactory(
        user=owner,
        dataset=dataset,
        gpu_config={"type": "H100", "count": 1},
        usd_per_gpu_hour=Decimal("4.20"),
    )
    before = dict(type(job).objects.values().get())
    assert change(root, f"{GPU}/H100/change/", usd_per_hour="5.00").status_code == 302
    price = GpuPrice.objects.get()
    assert (price.gpu_type_id, price.from_usd, price.to_usd, price.by) == (
        "H100",
        Decimal("4.20"),
        Decimal("5.00"),
        "root",
    )
    assert dict(type(job).objects.values().get()) == before
    page = root.get(f"{GPU}/H100/change/").content.decode()
    assert "Price history" in page
    assert "4.20" in page


def test_another_change_makes_no_price(root):
    change(root, f"{GPU}/H100/change/", description="Quick")
    assert GpuType.objects.get(pk="H100").description == "Quick"
    assert not GpuPrice.objects.exists()


def test_a_new_type_begins_its_history(root):
    body = {
        "name": "B300",
        "usd_per_hour": "7",
        "tokens_per_second": 3000,
        "max_count": 8,
        "evidence": "none",
        "enabled": "on",
    }
    assert root.post(f"{GPU}/add/", body | PRICES).status_code == 302
    price = GpuPrice.objects.get()
    assert (price.gpu_type_id, price.from_usd, price.to_usd) == ("B300", None, 7)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("usd_per_hour", "-1", "Received -1; must be at least 0.00 USD"),
        (
            "peak_tflops",
            '{"bf16": "quick"}',
            "must map precisions to numbers above 0",
        ),
        ("peak_tflops", "[1]", "must map precisions to numbers above 0"),
        ("peak_tflops", '{"fp32": 1, "fp5": 2}', "Received fp5; allowed are fp32"),
        ("peak_tflops", '{"bf16": 312}', "fp32 is missing"),
        ("capacity_gib", "-3", "Received -3.0; must be a finite number above 0"),
        ("tokens_per_second", "0", "greater than or equal to 1"),
        ("max_count", "9", "less than or equal to 8"),
    ],
)
def test_a_faulty_type_is_refused_in_words(field, value, words, root):
    before = GpuType.objects.values().get(pk="H100")
    answer = change(root, f"{GPU}/H100/change/", **{field: value})
    assert words in errors(answer)
    assert GpuType.objects.values().get(pk="H100") == before


def test_a_name_that_no_request_can_hold_is_refused(root):
    body = {"name": "my GPU", "usd_per_hour": "7", "tokens_per_second": 3000}
    assert "Received 'my GPU'" in errors(root.post(f"{GPU}/add/", body | PRICES))


def test_a_base_model_is_added_and_disabled(root, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    body = {"id": "ours", "name": "Ours", "source": "folder", "path": str(tmp_path)}
    body |= {"enabled": "on", "dimensions": "{}"}
    assert root.post(f"{MODEL}/add/", body).status_code == 302
    assert BaseModel.objects.get(pk="ours").enabled
    change(root, f"{MODEL}/ours/change/", enabled=None)
    assert not BaseModel.objects.get(pk="ours").enabled


def test_a_folder_without_a_model_is_refused(root, tmp_path):
    body = {"id": "ours", "name": "Ours", "source": "folder", "path": str(tmp_path)}
    assert "folder with a config.json" in errors(root.post(f"{MODEL}/add/", body))


def test_the_default_model_is_not_disabled(root, settings):
    page = f"{MODEL}/{quote(settings.DEFAULT_BASE_MODEL)}/change/"
    answer = change(root, page, enabled=None)
    assert "This is the default base model" in errors(answer)
    assert BaseModel.objects.get(pk=settings.DEFAULT_BASE_MODEL).enabled


def person(user) -> str:
    return f"/admin/lora_pipeline/user/{user.pk}/change/"


def edit(client, user, **changes):
    page = person(user)
    body = {
        "username": user.username,
        "is_active": "on",
        "monthly_budget_usd": "",
    } | changes
    return client.post(page, {k: v for k, v in body.items() if v is not None})


def test_a_budget_is_set_and_nothing_else_written(root, owner):
    page = root.get(person(owner)).content.decode()
    assert "0.00 USD spent, 0.00 reserved" in page
    User.objects.filter(pk=owner.pk).update(password="a newer one")
    assert edit(root, owner, monthly_budget_usd="50").status_code == 302
    owner.refresh_from_db()
    assert (owner.monthly_budget_usd, owner.password) == (50, "a newer one")


def test_a_budget_below_nothing_is_refused_in_words(root, owner):
    answer = edit(root, owner, monthly_budget_usd="-5")
    assert "Received -5; must be at least 0.00 USD per month" in errors(answer)


def test_who_is_no_superuser_gives_nobody_powers(owner):
    client = staff("view_user", "change_user")
    edit(client, owner, is_superuser="on", is_staff="on", monthly_budget_usd="9")
    owner.refresh_from_db()
    assert (owner.is_superuser, owner.is_staff) == (False, False)
    assert owner.monthly_budget_usd == 9


@pytest.mark.parametrize("power", ["is_superuser", "is_staff"])
def test_who_is_no_superuser_changes_nobody_with_powers(db, power):
    other = UserFactory(**{power: True})
    client = staff("view_user", "change_user")
    assert edit(client, other, monthly_budget_usd="9").status_code == 403
    new = {"password1": "long enough 93", "password2": "long enough 93"}
    page = f"/admin/lora_pipeline/user/{other.pk}/password/"
    assert client.post(page, new).status_code == 403
