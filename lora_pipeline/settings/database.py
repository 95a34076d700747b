"""The database: the server of DATABASE_URL, else the embedded one."""

from typing import Any

from lora_pipeline import env

DATABASE_ROLES = {"web": "lp_web", "operator": "lp_operator", "owner": ""}
DATABASE_ROLE = DATABASE_ROLES[
    env.choice("LORA_PIPELINE_DATABASE_ROLE", list(DATABASE_ROLES), "web")
]
DATABASE_EMBEDDED = not env.text("DATABASE_URL")


def _database() -> dict[str, Any]:
    """The server of DATABASE_URL; the embedded one is started when it is first used."""
    if DATABASE_EMBEDDED:
        where: dict[str, Any] = {"NAME": "lora_pipeline", "OPTIONS": {}}
    else:
        where = env.database_url(env.text("DATABASE_URL"))
    if DATABASE_ROLE:
        where["OPTIONS"]["options"] = f"-c role={DATABASE_ROLE}"
    return where | {
        "ENGINE": "lora_pipeline.postgres.backend",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
POSTGRES_PROGRAMS = env.text("POSTGRES_PROGRAMS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_ON_APP_READY = None
