"""Fixtures of receivers that really receive."""

import pytest
from django.test import override_settings

from tests.notifications.receivers import Inbox, Receiver, start_mail_server


@pytest.fixture
def receiver(settings):
    """A webhook's receiver; targets on this machine are allowed."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def inbox():
    """A mail server that the console is told to use, over real SMTP."""
    kept = Inbox()
    controller, port = start_mail_server(kept)
    with override_settings(
        EMAIL_BACKEND="notifications.sending.mail.Backend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
        EMAIL_HOST_USER="",
    ):
        yield kept
    controller.stop()
