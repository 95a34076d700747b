"""Sends Gunicorn's messages through the console's logging."""

import re
from typing import Any

from gunicorn.glogging import Logger

# An unparsable request may contain anything, including part of a body.
QUOTED = re.compile(r"b?(['\"]).*\1", re.DOTALL)


class ServerLog(Logger):  # type: ignore[misc]
    """Passes its records to the root logger, which redacts secrets."""

    def setup(self, cfg: Any) -> None:
        """Keep Gunicorn's level, use the console's handler."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log without what the client sent."""
        super().warning(QUOTED.sub("'...'", msg), *args, **kwargs)
