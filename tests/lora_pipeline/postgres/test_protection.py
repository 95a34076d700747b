"""The system check: every role as it must be, every table of a user's protected."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection, models

from lora_pipeline.postgres import policies
from lora_pipeline.postgres.policies import (
    missing_policies,
    tables_of_users,
    wrong_roles,
)

EVERYTHING = {"databases": ["default"], "tags": [Tags.database]}


@pytest.fixture
def as_login(db):
    """The login role, which owns tables and may change them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_role")
        (before,) = cursor.fetchone()
        cursor.execute("SET ROLE none")
        yield cursor
        cursor.execute(f"SET ROLE {before}")


@pytest.mark.django_db
def test_nothing_is_missing():
    assert list(wrong_roles()) == []
    assert list(missing_policies()) == []
    assert [m for m in run_checks(**EVERYTHING) if "lora_pipeline" in m.id] == []


def test_every_path_to_a_user_is_found():
    found = tables_of_users()
    assert {"datasets", "metric_points", "adapter_questions", "api_keys"} <= set(found)
    assert {"webhooks", "notification_deliveries", "django_admin_log"} <= set(found)
    assert not {"gpu_types", "base_models", "calibration_cells"} & set(found)


def test_a_new_table_with_a_path_to_a_user_and_no_policy_is_told(as_login):
    class Remark(models.Model):
        about = models.ForeignKey("training.Checkpoint", on_delete=models.CASCADE)

        class Meta:
            app_label = "training"
            db_table = "remarks"

        def __str__(self):
            return "a remark"

    try:
        assert tables_of_users()["remarks"] == "training.Remark"
        assert list(missing_policies()) == []
        as_login.execute("CREATE TABLE remarks (id int)")
        words = "remarks (training.Remark) has no row-level security."
        assert list(missing_policies()) == [words]
        assert words in [m.msg for m in run_checks(**EVERYTHING)]
    finally:
        from django.apps import apps

        del apps.all_models["training"]["remark"]
        apps.clear_cache()


@pytest.mark.parametrize("table", sorted(tables_of_users()))
def test_a_lost_policy_is_told(table, as_login):
    as_login.execute(f"DROP POLICY {table}_owner ON {table}")
    label = tables_of_users()[table]
    assert list(missing_policies()) == [f"{table} ({label}) has no policy for lp_web."]


def test_security_switched_off_is_told(as_login):
    as_login.execute("ALTER TABLE webhooks DISABLE ROW LEVEL SECURITY")
    assert list(missing_policies()) == [
        "webhooks (notifications.Webhook) has no row-level security."
    ]


def test_a_role_that_is_not_there_is_told(as_login, monkeypatch):
    monkeypatch.setattr(policies, "WEB", "lp_absent")
    assert "The role lp_absent is missing." in list(wrong_roles())


def test_every_exception_names_a_table_that_leads_to_a_user(monkeypatch):
    names = set(policies.NOBODYS)
    monkeypatch.setattr(policies, "NOBODYS", {})
    assert names <= set(tables_of_users())
