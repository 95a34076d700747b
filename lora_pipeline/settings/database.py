"""The database: the server of DATABASE_URL, else the embedded one."""

from typing import Any

from lora_pipeline import env
from lora_pipeline.settings import database_url

DATABASE_ROLES = {"web": "lp_web", "operator": "lp_operator", "owner": ""}
DATABASE_ROLE = DATABASE_ROLES[
    env.choice("LORA_PIPELINE_DATABASE_ROLE", list(DATABASE_ROLES), "web")
]
# A request does not wait longer for one answer; the worker and the reconciler do.
DATABASE_SECONDS = (
    env.number("DATABASE_SECONDS", 30.0, minimum=1.0)
    if DATABASE_ROLE == "lp_web"
    else 0.0
)
DATABASE_EMBEDDED = not env.text("DATABASE_URL")


def _database() -> dict[str, Any]:
    """The server of DATABASE_URL; the embedded one is started when it is first used."""
    if DATABASE_EMBEDDED:
        where: dict[str, Any] = {"NAME": "lora_pipeline"}
        where["OPTIONS"] = {"connect_timeout": "10"}
    else:
        where = database_url.parse(env.text("DATABASE_URL"))
    # By a query and not in the start packet, of which a pooler takes no role.
    where["OPTIONS"]["assume_role"] = DATABASE_ROLE
    return where | {
        "ENGINE": "lora_pipeline.postgres.backend",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
POSTGRES_PROGRAMS = env.text("POSTGRES_PROGRAMS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_ON_APP_READY = None
