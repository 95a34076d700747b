"""Gunicorn's own messages in the console's log, as everything else is."""

import re
from typing import Any

from gunicorn.glogging import Logger

# What could not be read as a request may be anything, also a piece of somebody's body.
QUOTED = re.compile(r"b?(['\"]).*\1", re.DOTALL)


class ServerLog(Logger):  # type: ignore[misc]
    """Hands its records on to the root logger, which knows what no log may hold."""

    def setup(self, cfg: Any) -> None:
        """Gunicorn's level, the console's handler."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Without what the client sent."""
        super().warning(QUOTED.sub("'...'", msg), *args, **kwargs)
