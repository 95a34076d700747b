"""Storage files that adapter rows refer to, for backups."""

from collections.abc import Iterator

from django.db.models import Sum

from lora_pipeline.models import User
from training.models import Adapter, AdapterExport, Work


def paths() -> Iterator[str]:
    """Archives of adapters and merged models in this transaction's rows."""
    adapters = Adapter.objects.exclude(storage_path="")
    yield from adapters.values_list("storage_path", flat=True)
    exports = AdapterExport.objects.exclude(storage_path="")
    yield from exports.values_list("storage_path", flat=True)


def bytes_of(user: User) -> int:
    """What a user's adapters and merged models take, or will once they are merged."""
    adapters = Adapter.objects.visible_to(user)
    exports = AdapterExport.objects.filter(adapter__user=user)
    exports = exports.exclude(status=Work.FAILED)
    found = (rows.aggregate(n=Sum("size_bytes"))["n"] for rows in (adapters, exports))
    return sum(size or 0 for size in found)
