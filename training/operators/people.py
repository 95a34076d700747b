"""The doctor's checks of people: who can help the others, and whose jobs go on."""

from collections.abc import Iterator

from lora_pipeline.models import User
from lora_pipeline.operations.diagnosis import Check, Finding, ok, warning
from training.models import TrainingJob

REMEDY = "cancel them in the admin, or leave them: they cost until they end"


def helpers() -> Iterator[Finding]:
    """Whether anybody can set a password that was lost."""
    able = User.objects.filter(is_superuser=True, is_active=True)
    if any(user.has_usable_password() for user in able):
        yield ok("people", "a superuser can set a lost password")
    else:
        words = "no active superuser has a password: nobody can help who lost theirs"
        yield warning("people", words, "manage.py createsuperuser, or changepassword")


def left_running() -> Iterator[Finding]:
    """Open jobs of users who can no longer sign in."""
    left = TrainingJob.objects.open().filter(user__is_active=False)
    if count := left.count():
        noun = "job" if count == 1 else "jobs"
        yield warning("people", f"{count} open {noun} of disabled users", REMEDY)


CHECKS = [Check(helpers, needs_database=True), Check(left_running, needs_database=True)]
