"""The dictionary for Django's LOGGING."""

from typing import Any

TEXT_LINE = "{asctime} {levelname} {name} [{request_id}] {message}"
JSON_FIELDS = "{asctime}{levelname}{name}{process}{request_id}{message}"
JSON_NAMES = {"asctime": "at", "levelname": "level", "name": "logger"}


def logging_settings(*, form: str, level: str) -> dict[str, Any]:
    """Everything to standard error, as `text` or `json`; requests only as json."""
    json = form == "json"
    formatters: dict[str, Any] = {
        "text": {"()": "lora_pipeline.logs.formatters.Text", "fmt": TEXT_LINE}
        | {"style": "{"},
        "json": {
            "()": "lora_pipeline.logs.formatters.Json",
            "fmt": JSON_FIELDS,
            "style": "{",
            "rename_fields": JSON_NAMES,
        },
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django gives this logger its own handler, which would log all lines twice.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # At DEBUG these two log contexts and parameters: keys and training text.
            "django.template": {"level": "INFO"},
            "django.db.backends": {"level": "INFO"},
            "procrastinate": {"level": "WARNING"},
            "lora_pipeline.requests": {"level": "INFO" if json else "WARNING"},
        },
    }
