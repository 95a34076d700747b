"""The one rule for everything that unpacks: bytes are counted as they come out.

What a file says of its own size is not believed. A few hundred bytes can stand for
gigabytes, so beyond a free beginning the ratio is bounded: text packs 5 to 50 times,
and only what repeats itself without end packs 200 times.
"""

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

FREE_BYTES = 10 * 1024**2
FREE_PACKED_BYTES = 256 * 1024
MOST_RATIO = 200
PIECE_BYTES = 1024 * 1024
LONGEST_DIRECTORY = 2 * PIECE_BYTES


class UnpacksTooLarge(ValueError):
    """More came out than may; the message says how much that is."""


class UnpacksTooLittle(OSError):
    """Almost nothing came out of much; the message says how much that is."""


class Gauge:
    """Counts what comes out of a container; `packed`: its bytes, or those read yet."""

    def __init__(self, *, most_bytes: int, packed: int | Callable[[], int]) -> None:
        self._most = most_bytes
        self._packed = packed
        self.given = 0

    def add(self, count: int) -> None:
        """Raises UnpacksTooLarge at the limit of the kind, and at the ratio."""
        self.given += count
        if self.given > self._most:
            raise UnpacksTooLarge(f"more than {self._most:,} bytes")
        if self.given > FREE_BYTES:
            packed = self._packed if isinstance(self._packed, int) else self._packed()
            if self.given - FREE_BYTES > MOST_RATIO * packed:
                words = f"more than {MOST_RATIO} times its {packed:,} bytes"
                raise UnpacksTooLarge(words)


class Yielding:
    """The packed bytes, as long as they stand for something.

    Packing makes nothing longer but for a few bytes a block. A header of a gigabyte, or
    millions of parts without content, keep the one who reads busy and never come to a
    limit of what comes out.
    """

    def __init__(self, packed: IO[bytes], gauge: Gauge) -> None:
        self._packed = packed
        self._gauge = gauge

    def read(self, size: int = -1) -> bytes:
        """Raises UnpacksTooLittle when far more was read than came out."""
        if self._packed.tell() > FREE_PACKED_BYTES + 1.01 * self._gauge.given:
            given = f"{self._gauge.given:,}"
            raise UnpacksTooLittle(f"{self._packed.tell():,} bytes stand for {given}")
        return self._packed.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._packed.seek(offset, whence)


class Gauged(io.RawIOBase):
    """A stream of unpacked bytes that ends with UnpacksTooLarge."""

    def __init__(self, unpacked: IO[bytes], gauge: Gauge) -> None:
        self._unpacked = unpacked
        self._gauge = gauge

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # As much as comes at once: the gauge is to know while more is packed.
        read: Any = getattr(self._unpacked, "read1", self._unpacked.read)
        found = read(len(buffer))
        self._gauge.add(len(found))
        buffer[: len(found)] = found
        return len(found)


class ShortReads(io.RawIOBase):
    """A file that answers no long read, until `bounded` is turned off."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.bounded = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Raises UnpacksTooLarge for more than LONGEST_DIRECTORY bytes at once."""
        if not self.bounded:
            return self._file.read(size)
        most = LONGEST_DIRECTORY + 1
        found = self._file.read(min(size, most) if size >= 0 else most)
        if len(found) == most:
            words = f"a directory of files of more than {LONGEST_DIRECTORY:,} bytes"
            raise UnpacksTooLarge(words)
        return found


def opened_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """A zip whose directory is short. Raises UnpacksTooLarge, zipfile.BadZipFile.

    `zipfile` reads the directory at once and makes an object of each of its entries,
    which takes ten times as much memory. Members are counted by `opened_member`.
    """
    reads = ShortReads(file)
    archive = zipfile.ZipFile(reads)
    reads.bounded = False
    return archive


@contextmanager
def opened_member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, most_bytes: int
) -> Iterator[IO[bytes]]:
    """A zip's member, counted as it comes out: what its entry says may be a lie."""
    gauge = Gauge(most_bytes=most_bytes, packed=entry.compress_size)
    with archive.open(entry) as member:
        yield io.BufferedReader(Gauged(member, gauge), PIECE_BYTES)


def unpack_member(
    archive: zipfile.ZipFile, name: str, target: Path, *, most_bytes: int
) -> None:
    """Write one member to a new file that the caller names. Raises UnpacksTooLarge."""
    entry = archive.getinfo(name)
    with (
        opened_member(archive, entry, most_bytes=most_bytes) as member,
        target.open("xb") as file,
    ):
        shutil.copyfileobj(member, file, PIECE_BYTES)
