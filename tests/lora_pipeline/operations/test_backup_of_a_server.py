"""Backup and restore where DATABASE_URL names a server, under another login's name."""

import json
import os
import subprocess
import sys

import psycopg
import pytest

from lora_pipeline.postgres import embedded
from tests.trainer.conftest import MANAGE

MAKE = """
from lora_pipeline.models import User
from datasets.models import Dataset
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
owner = User.objects.create_user("owner", password="correct horse battery")
path = default_storage.save("datasets/x/original", ContentFile(b"private"))
Dataset.objects.create(user=owner, name="chats", storage_path=path, file_name="a")
"""
SEEN = """
import json
from django.db import connection
from datasets.models import Dataset
from django.core.files.storage import default_storage
from lora_pipeline.postgres import row_security
everything = [[d.name, d.user.username] for d in Dataset.objects.all()]
row_security._set("lp_web", "00000000-0000-0000-0000-000000000000")
seen = Dataset.objects.count()
row_security.act_as_operator()
content = default_storage.open("datasets/x/original").read().decode()
print(json.dumps([everything, seen, content]))
"""
NEW_TABLE = """
from django.db import connection
connection.cursor().execute("SET ROLE NONE; CREATE TABLE later (id int)")
connection.cursor().execute("SET ROLE lp_web; SELECT * FROM later")
"""


class Place:
    """A var folder and a database of one login."""

    def __init__(self, var, database: str) -> None:
        var.mkdir()
        kept = {k: v for k, v in os.environ.items() if "LORA_PIPELINE" not in k}
        own = {"LORA_PIPELINE_VAR": str(var), "DATABASE_URL": database}
        self.environment = kept | own

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, MANAGE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def shell(self, code: str) -> str:
        done = self.manage("shell", "-v", "0", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def two_databases(own_server, tmp_path):
    """Two logins on one server, each with a database, as the guide makes them."""
    places = embedded.find_places(own_server)
    embedded.hold(own_server)
    passwords = json.loads(places.passwords.read_text())
    found = []
    with psycopg.connect(
        host=str(places.socket),
        user="postgres",
        password=passwords["postgres"],
        dbname="postgres",
        autocommit=True,
    ) as server:
        for name in ("first", "second"):
            server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
            grant = "GRANT lp_web, lp_operator TO {} WITH INHERIT FALSE, SET TRUE"
            server.execute(grant.format(name))
            server.execute(f"CREATE DATABASE {name} OWNER {name}")
            url = f"postgres://{name}:pw@/{name}?host={places.socket}"
            found.append(Place(tmp_path / name, url))
    return found


@pytest.mark.long
def test_what_one_login_backed_up_another_restores(two_databases, tmp_path):
    first, second = two_databases
    assert first.manage("migrate", "-v", "0").returncode == 0
    first.shell(MAKE)
    kept = str(tmp_path / "kept")
    made = first.manage("backup", kept)
    assert made.returncode == 0, made.stderr
    again = first.manage("restore", kept)
    assert again.returncode == 1
    assert "Found 1 users and 1 files here. Use --replace" in again.stderr
    restored = second.manage("restore", kept)
    assert restored.returncode == 0, restored.stderr
    expected = [[["chats", "owner"]], 0, "private"]
    assert json.loads(second.shell(SEEN)) == expected
    assert second.manage("migrate", "--check").returncode == 0
    second.shell(NEW_TABLE)
    over = second.manage("restore", kept, "--replace")
    assert over.returncode == 0, over.stderr
    assert json.loads(second.shell(SEEN)) == expected
