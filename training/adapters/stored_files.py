"""Storage files that adapter rows refer to, for backups."""

from collections.abc import Iterator

from training.models import Adapter, AdapterExport


def paths() -> Iterator[str]:
    """Archives of adapters and merged models in this transaction's rows."""
    adapters = Adapter.objects.exclude(storage_path="")
    yield from adapters.values_list("storage_path", flat=True)
    exports = AdapterExport.objects.exclude(storage_path="")
    yield from exports.values_list("storage_path", flat=True)
