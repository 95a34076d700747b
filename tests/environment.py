"""A plugin loaded before the settings are: where tests keep things, and as whom.

The test database is made by its owner; `conftest` then goes on as the operator.
"""

import os
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
os.environ["LORA_PIPELINE_DATABASE_ROLE"] = "owner"
if "LORA_PIPELINE_VAR" not in os.environ:
    os.environ["LORA_PIPELINE_VAR"] = tempfile.mkdtemp(prefix="lp-test-")
    Path(os.environ["LORA_PIPELINE_VAR"]).chmod(0o711)
if WORKER:  # a folder, and so a server, of its own below that of all
    os.environ["LORA_PIPELINE_VAR"] += f"/{WORKER}"
    Path(os.environ["LORA_PIPELINE_VAR"]).mkdir(exist_ok=True)
    # As our own are: as root, the server's account passes through.
    Path(os.environ["LORA_PIPELINE_VAR"]).chmod(0o711)
static = Path(os.environ["LORA_PIPELINE_VAR"]) / "static"
static.mkdir(parents=True, exist_ok=True)  # else each request warns of its absence
os.environ.setdefault("LOG_LEVEL", "WARNING")
for _limit in (
    "ADDRESS_REQUESTS_PER_MINUTE",
    "API_REQUESTS_PER_MINUTE",
    "REFUSED_SIGN_INS_PER_MINUTE",
):
    os.environ.setdefault(
        _limit, "1000000"
    )  # all tests share one address, and may hurry
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
