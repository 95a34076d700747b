"""Which errors mean that the database is away for now, and not that we are wrong.

Restarting, failed over, frozen, or with all its connections taken: who asks again in a
few seconds gets an answer.
"""

from django.db import InterfaceError, OperationalError

RETRY_SECONDS = 5
WORDS = f"The database is not available. Try again in {RETRY_SECONDS} s."
# Connection lost; too many connections, no memory, no disk; stopping or starting.
AWAY = ("08", "53", "57P")


def is_outage(error: BaseException | None) -> bool:
    """Whether this, or what it was raised from, says that the database is away.

    An error without a code is not the server's: nobody was reached, or the connection
    broke. A deadlock or a cancelled query has one that is not among these.
    """
    while error is not None:
        if isinstance(error, InterfaceError):
            return True
        if isinstance(error, OperationalError):
            code = getattr(error.__cause__, "sqlstate", None)
            return code is None or code.startswith(AWAY)
        error = error.__cause__
    return False
