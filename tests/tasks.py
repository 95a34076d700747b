"""The worker in tests: the real one, until its queue is empty."""

from django.core.management import call_command


def run_worker() -> None:
    """Carry out what is due now, by `manage.py work --once` in this process.

    Only for tests whose rows are committed: `django_db(transaction=True)`.
    """
    call_command("work", once=True)
