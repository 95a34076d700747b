"""The worker in tests: the real one, until its queue is empty."""

from django.core.management import call_command
from django.db import connection

END_THE_WORKERS_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def run_worker() -> None:
    """Carry out what is due now, by `manage.py work --once` in this process.

    Its threads leave sessions open, in which a test database cannot be dropped.
    """
    call_command("work", once=True)
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE none")
        cursor.execute(END_THE_WORKERS_SESSIONS)
        cursor.execute("SET ROLE lp_operator")
