"""Resumable downloads: byte ranges and entity tags of RFC 9110."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

CHUNK_BYTES = 256 * 1024
ONE_RANGE = re.compile(r"bytes=\s*+(\d*+)\s*+-\s*+(\d*+)\s*+", re.ASCII)
MOST_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A stored file identified by its checksum."""

    storage_path: str
    size_bytes: int
    sha256: str
    filename: str
    content_type: str = "application/zip"

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


class RangeNotSatisfiable(ValueError):
    """The requested range lies outside the file."""


def download(request: HttpRequest, file: Download) -> HttpResponseBase:
    """The whole file (200), a range (206), 304 if the client has it, or 416.

    Multiple ranges get the whole file, as the RFC allows.
    """
    if file.etag in request.headers.get("If-None-Match", ""):
        return _described(HttpResponse(status=304), file)
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", file.etag) != file.etag:
        asked = ""
    try:
        part = asked_part(asked, file.size_bytes)
    except RangeNotSatisfiable:
        response = _described(HttpResponse(status=416), file)
        response.headers["Content-Range"] = f"bytes */{file.size_bytes}"
        return response
    return _whole(file) if part is None else _part(file, *part)


def asked_part(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte requested by a Range header; None for the whole file.

    >>> asked_part("bytes=0-9", 100), asked_part("bytes=-10", 100)
    ((0, 9), (90, 99))

    Raises RangeNotSatisfiable for a range that starts past the end.
    """
    found = ONE_RANGE.fullmatch(header)
    if found is None or not any(found.groups()):
        return None
    first, last = (text[:MOST_DIGITS] for text in found.groups())
    if not first:
        start, end = size - min(int(last), size), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start > end or start >= size:
        raise RangeNotSatisfiable
    return start, end


def _whole(file: Download) -> HttpResponseBase:
    response = FileResponse(
        default_storage.open(file.storage_path), content_type=file.content_type
    )
    response.headers["Content-Length"] = str(file.size_bytes)
    return _described(response, file)


def _part(file: Download, start: int, end: int) -> HttpResponseBase:
    opened = default_storage.open(file.storage_path)
    opened.seek(start)
    length = end - start + 1
    response = StreamingHttpResponse(
        _pieces(opened, length), status=206, content_type=file.content_type
    )
    response.headers["Content-Length"] = str(length)
    response.headers["Content-Range"] = f"bytes {start}-{end}/{file.size_bytes}"
    return _described(response, file)


def _pieces(opened: IO[bytes], length: int) -> Iterator[bytes]:
    with opened:
        while length and (chunk := opened.read(min(length, CHUNK_BYTES))):
            length -= len(chunk)
            yield chunk


def _described(response: HttpResponseBase, file: Download) -> HttpResponseBase:
    """Headers that let a client resume and verify the download."""
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = file.etag
    response.headers["X-Content-SHA256"] = file.sha256
    response.headers["Content-Disposition"] = f'attachment; filename="{file.filename}"'
    response.headers["Cache-Control"] = "private, no-transform"
    return response
