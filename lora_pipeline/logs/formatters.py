"""The text and JSON formatters, both with request id and without secrets."""

import copy
import logging
from functools import cache
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from lora_pipeline.logs.redaction import redactor
from lora_pipeline.logs.request_ids import current_request_id

SECRET_SETTINGS = ("SECRET_KEY", "HF_TOKEN", "EMAIL_HOST_PASSWORD", "METRICS_TOKEN")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _redact() -> Any:
    """Read for each line: the embedded database's password is known once it starts."""
    from django.conf import settings  # noqa: PLC0415 - the settings import this module

    database = settings.DATABASES["default"].get("PASSWORD", "")
    own = (str(getattr(settings, name, "")) for name in SECRET_SETTINGS)
    return _redactor((*own, str(database)))


@cache
def _redactor(secrets: tuple[str, ...]) -> Any:
    return redactor(list(secrets))


class _Redacting(logging.Formatter):
    """Formats a copy of the record with secrets removed."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(self._without_secrets(record))

    def _without_secrets(self, record: logging.LogRecord) -> logging.LogRecord:
        redact = _redact()
        clean = copy.copy(record)
        clean.msg, clean.args = redact(record.getMessage()), ()
        if record.exc_info:
            clean.exc_text = redact(
                logging.Formatter().formatException(record.exc_info)
            )
        clean.exc_info = None
        for name in vars(record).keys() - STANDARD:
            value = getattr(record, name)
            if isinstance(value, str):
                setattr(clean, name, redact(value))
            elif not isinstance(value, int | float):
                delattr(clean, name)  # such as a request, whose URL has a query
        clean.request_id = current_request_id()
        return clean


class Text(_Redacting):
    """A line of text for people."""


class Json(_Redacting, JsonFormatter):
    """One JSON object per line, for programs."""
