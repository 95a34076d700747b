"""Collects the files of a form on the disk."""

from contextlib import suppress

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class UploadHandler(TemporaryFileUploadHandler):
    """Django's, which would leave its file on a disk that is full with it."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Raises OSError if the disk is full; the file is gone by then."""
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            with suppress(OSError):  # what is still in its buffer has no room either
                self.file.close()
            raise
