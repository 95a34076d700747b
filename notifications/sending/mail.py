"""Django's mail over SMTP, with EMAIL_TIMEOUT for the whole exchange."""

import smtplib
import ssl
from typing import Any

from django.core.mail.backends.smtp import EmailBackend
from django.utils.functional import cached_property

from notifications.sending.deadline import (
    Deadline,
    look_up,
    open_socket,
    tls_context,
)


class _Smtp(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        deadline = Deadline(timeout)
        return open_socket(look_up(host, port, deadline), port, deadline)


class _SmtpTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = _Smtp._get_socket(self, host, port, timeout)  # type: ignore[arg-type]
        return self.context.wrap_socket(plain, server_hostname=host)


class Backend(EmailBackend):
    """What EMAIL_BACKEND names."""

    @property
    def connection_class(self) -> Any:
        return _SmtpTls if self.use_ssl else _Smtp

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        return tls_context()
