"""Schemathesis against the running server: every operation, thousands of cases."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.isolation.server import ROOT, Server

pytestmark = pytest.mark.long
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
LEAST_CASES = 3000
PLENTY = """
import json
from tests.isolation.plenty import plenty
print(json.dumps(plenty("Fuzz", 60)))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server"), MAX_UPLOAD_BYTES="100000")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def known(server: Server) -> dict:
    return server.shell(PLENTY)


@pytest.fixture(scope="module")
def schema(server: Server, known: dict, tmp_path_factory) -> Path:
    request = urllib.request.Request(
        f"{server.url}/api/schema", headers={"Authorization": f"Bearer {known['key']}"}
    )
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    path.write_bytes(urllib.request.urlopen(request, timeout=60).read())
    return path


def fuzz(server: Server, known: dict, schema: Path, *options: str) -> str:
    """The report of one run; a run that finds something ends with its words."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", str(schema), "--url", server.url),
        *("-H", f"Authorization: Bearer {known['key']}"),
        *("--checks", ",".join(CHECKS), "--continue-on-failure"),
        *("--suppress-health-check", "all", "--generation-database", "none"),
        *options,
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.isolation.fuzz_hooks",
        "FUZZ_IDS": json.dumps(known["ids"]),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=schema.parent
    )
    print(done.stdout[-20_000:], done.stderr[-2000:])
    assert done.returncode == 0, done.stdout[-20_000:]
    return done.stdout


def test_no_case_finds_a_server_error_or_an_undocumented_answer(server, known, schema):
    report = fuzz(server, known, schema, "--max-examples", "30", "--seed", "1")
    operations = len(json.loads(schema.read_text())["paths"])
    cases = int(re.search(r"(\d[\d,]*) generated", report)[1].replace(",", ""))
    print(f"{cases} cases over {operations} addresses")
    assert cases >= LEAST_CASES
