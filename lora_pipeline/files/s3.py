"""Django storage on an S3-compatible bucket that reads ranges, not whole objects."""

import io
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

PIECE_BYTES = 1024 * 1024
NOT_THERE = 404
BROKEN = (BotoCoreError, ClientError, HTTPError)


class Bucket(S3Storage):  # type: ignore[misc]
    """The django-storages backend with its own reading.

    That library fetches a whole object before it returns the first byte: an adapter
    download would wait for all of it, and a ten-byte range would fetch gigabytes.
    """

    def _open(self, name: str, mode: str = "rb") -> Any:
        if mode != "rb":
            return super()._open(name, mode)
        key = self._normalize_name(clean_name(name))
        try:
            remote = Remote(self.bucket.Object(key))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == NOT_THERE:
                raise FileNotFoundError(f"{name} is not in the bucket.") from None
            raise OSError(f"{name} cannot be opened: {error}") from error
        return Opened(io.BufferedReader(remote, PIECE_BYTES), name, remote.size)


class Opened(File):  # type: ignore[type-arg]
    """A stored object as a Django file with a known size."""

    def __init__(self, file: io.BufferedReader, name: str, size: int) -> None:
        super().__init__(file, name)
        self.size = size


class Remote(io.RawIOBase):
    """Streams an object's bytes; sequential reads share one request."""

    def __init__(self, remote: Any) -> None:
        self._object = remote
        self.size: int = remote.content_length
        self._at = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + offset != self._at:
            self._hang_up()
            self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Raises OSError when the connection drops, so that the task is retried."""
        if self._at >= self.size:
            return 0
        try:
            if self._body is None:
                asked = self._object.get(Range=f"bytes={self._at}-")
                self._body = asked["Body"]
            found = self._body.read(len(buffer))
        except BROKEN as error:
            self._hang_up()
            raise OSError(f"{self._object.key}: connection dropped: {error}") from error
        if not found:
            raise OSError(f"{self._object.key} ended at {self._at} of {self.size}")
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _hang_up(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
