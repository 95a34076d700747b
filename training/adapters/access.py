"""Whose adapter it is."""

from uuid import UUID

from lora_pipeline.errors import NotYours
from lora_pipeline.models import User
from training.models import Adapter


def own_adapter(user: User, adapter_id: UUID) -> Adapter:
    """The user's adapter, joined with its job and export. Raises NotYours."""
    own = Adapter.objects.visible_to(user).with_job()
    if (adapter := own.find(adapter_id)) is None:
        raise NotYours("adapter")
    return adapter
