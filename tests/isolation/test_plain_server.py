"""A PostgreSQL server that knows nothing of us: roles.sql, migrate, check."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.isolation.server import MANAGE, ROOT

HELD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lora_pipeline.postgres import embedded as own
var = Path(sys.argv[2])
own.hold(var)
places = own.find_places(var.resolve())
passwords = json.loads(places.passwords.read_text())
print(json.dumps([str(places.socket), str(places.binaries), passwords["postgres"]]),
      flush=True)
sys.stdin.read()
"""
BARE = """
DROP DATABASE lora_pipeline;
DROP ROLE lora_pipeline;
DROP ROLE lp_web;
DROP ROLE lp_operator;
"""
LOGIN, PASSWORD, DATABASE = "Our Console", "pass word", "console db"


@dataclass(frozen=True, slots=True)
class Plain:
    """A server without our roles, and its superuser's way in."""

    socket: str
    binaries: str
    password: str
    var: Path

    def psql(self, *words: str, given: str = "", database: str = "postgres") -> str:
        done = subprocess.run(
            [
                f"{self.binaries}/bin/psql",
                *("-X", "-A", "-t", "-h", self.socket, "-U", "postgres"),
                *words,
                database,
            ],
            env=os.environ | {"PGPASSWORD": self.password},
            input=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr, done.stderr
        return done.stdout

    def make_roles(self) -> str:
        script = str(ROOT / "lora_pipeline" / "deploy" / "roles.sql")
        names = ("-v", f"login={LOGIN}", "-v", f"database={DATABASE}")
        return self.psql(*names, "-f", script)

    def manage(self, *words: str) -> tuple[int, str]:
        """Exit status, and all that was said."""
        user, name = quote(LOGIN), quote(DATABASE)
        url = f"postgres://{user}:{quote(PASSWORD)}@/{name}?host={quote(self.socket)}"
        kept = {n: v for n, v in os.environ.items() if not n.startswith("LORA_PIPE")}
        done = subprocess.run(
            [sys.executable, MANAGE, *words],
            env=kept | {"DATABASE_URL": url, "LORA_PIPELINE_VAR": str(self.var)},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    def check(self) -> tuple[int, str]:
        return self.manage("check", "--database", "default")


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    with tempfile.TemporaryDirectory(
        prefix="lp", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)
        var = Path(folder) / "var"
        holder = subprocess.Popen(
            [sys.executable, "-c", HELD, str(ROOT), str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        made = Plain(*json.loads(holder.stdout.readline()), var)
        made.psql(given=BARE)
        yield made
        holder.communicate("")


def test_roles_sql_makes_a_plain_server_ready_and_the_check_tells_what_is_not(plain):
    """In the order in which an operator meets it."""
    plain.psql(given=f"CREATE ROLE \"{LOGIN}\" LOGIN PASSWORD '{PASSWORD}';")
    plain.psql(given=f'CREATE DATABASE "{DATABASE}" OWNER "{LOGIN}";')
    status, said = plain.check()
    assert status == 1
    assert 'role "lp_operator" does not exist' in said
    assert "roles.sql" in said
    status, said = plain.manage("migrate")
    assert status == 1
    assert "The role lp_web is missing." in said

    plain.make_roles()
    plain.make_roles()
    status, said = plain.manage("migrate", "-v", "0")
    assert (status, said) == (0, "")
    status, said = plain.check()
    assert status == 0, said
    assert "no issues" in said


@pytest.mark.parametrize(
    ("harm", "mend", "words"),
    [
        (
            "ALTER ROLE lp_web BYPASSRLS",
            "ALTER ROLE lp_web NOBYPASSRLS",
            "Policies do not apply to the role lp_web",
        ),
        (
            "GRANT lp_operator TO lp_web",
            "REVOKE lp_operator FROM lp_web",
            "The role lp_web is a member of lp_operator",
        ),
        (
            f'GRANT lp_web TO "{LOGIN}" WITH INHERIT TRUE',
            f'GRANT lp_web TO "{LOGIN}" WITH INHERIT FALSE',
            "The login role inherits lp_web",
        ),
        (
            f'GRANT lp_web TO "{LOGIN}" WITH SET FALSE',
            f'GRANT lp_web TO "{LOGIN}" WITH SET TRUE',
            "The login role cannot SET ROLE lp_web",
        ),
        (
            "ALTER TABLE checkpoints DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY",
            "checkpoints (training.Checkpoint) has no row-level security",
        ),
        (
            "ALTER TABLE webhooks OWNER TO lp_web",
            f'ALTER TABLE webhooks OWNER TO "{LOGIN}"',
            "lp_web or lp_operator owns webhooks",
        ),
    ],
)
def test_what_an_operator_undoes_is_told(plain, harm, mend, words):
    plain.psql(given=harm, database=DATABASE)
    try:
        status, said = plain.check()
    finally:
        plain.psql(given=mend, database=DATABASE)
    assert status == 1
    assert words in said
