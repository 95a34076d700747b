"""Where a trainer finds the console that started it."""

from pathlib import Path

from django.conf import settings


def console_url() -> str:
    """The variable, else where `up` runs, else where the web server listens by default.

    As `lora_pipeline.web.own_address.trainers_url`, of which nothing is known here.
    """
    if settings.BASE_URL:
        return str(settings.BASE_URL)
    try:
        return Path(settings.BASE_URL_FILE).read_text().strip()
    except FileNotFoundError:
        return str(settings.DEFAULT_BASE_URL)
