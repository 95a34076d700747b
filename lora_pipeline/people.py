"""What operators change about people."""

from collections.abc import Iterable

from django.db import transaction

from lora_pipeline.models import User


@transaction.atomic
def save_user(*, user: User, fields: Iterable[str], is_new: bool = False) -> None:
    """Write the columns that a form changed, and no other.

    A form holds the row as it was when it was opened: writing all of it would undo a
    sign-in or a new password of the meantime.
    """
    columns = {field.name for field in User._meta.concrete_fields}
    if is_new:
        user.save(force_insert=True)
    elif changed := columns.intersection(fields):
        User.objects.select_for_update().get(pk=user.pk)
        user.save(update_fields=changed)
