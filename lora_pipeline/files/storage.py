"""The storage in a folder: a file has its name only when it is whole and on disk."""

from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

from lora_pipeline.files.durable import sync_path


class FolderStorage(FileSystemStorage):
    """Django's, for rows that name its files and outlive a power cut with them."""

    def _save(self, name: str, content: Any) -> str:
        """Raises OSError if the disk is full; then nothing of the file is left."""
        before = self.exists(name)
        try:
            saved = str(super()._save(name, content))  # type: ignore[misc]
            self._sync(Path(self.path(saved)))
        except OSError:
            if not before:
                Path(self.path(name)).unlink(missing_ok=True)
            raise
        return saved

    def _sync(self, path: Path) -> None:
        sync_path(path)
        for folder in path.parents:
            sync_path(folder)
            if folder == Path(self.location):
                break
