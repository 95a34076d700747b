"""Gunicorn's own messages in the console's log, as everything else is."""

from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):  # type: ignore[misc]
    """Hands its records on to the root logger, which knows what no log may hold."""

    def setup(self, cfg: Any) -> None:
        """Gunicorn's level, the console's handler."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
