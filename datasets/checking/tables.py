"""Rows of a CSV as Excel, pandas and others make it."""

import csv
from collections.abc import Iterator
from typing import Any

from datasets.domain.faults import Fault, clean
from datasets.domain.formats.parts import folded
from datasets.domain.layout import Layout

Item = tuple[int, dict[str, Any] | Fault]


def table_rows(lines: Iterator[str], layout: Layout) -> Iterator[Item]:
    """Each row by its header, with the line on which it begins.

    Rows of nothing but separators are passed over, and so are columns without a header
    that are empty or count the rows. A header twice ends the reading.
    """
    for _ in range(layout.skipped):
        next(lines, "")
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader)]
        unnamed = {n for n, name in enumerate(names) if not name}
    except csv.Error as error:
        yield 1, Fault(kind="broken_csv", line=1, found=str(error))
        return
    if not_utf8 := next((name for name in names if is_not_utf8(name)), ""):
        yield 1, Fault(kind="unreadable_header", line=1, found=repr(clean(not_utf8)))
        return
    if twice := _repeated(names):
        yield 1, Fault(kind="repeated_header", line=1, found=repr(twice))
        return
    names = [name or f"(column {n + 1})" for n, name in enumerate(names)]
    line = reader.line_num + layout.skipped + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found = f"{error}, near a quote"
            yield line, Fault(kind="broken_csv", line=line, found=found)
        else:
            if any(cell.strip() for cell in cells):
                yield line, _row(line, names, cells, unnamed)
        line = reader.line_num + layout.skipped + 1


def is_not_utf8(text: str) -> bool:
    """Whether a text stands for bytes that are no UTF-8 (surrogateescape)."""
    return not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)


def _repeated(names: list[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name and folded(name) in seen:
            return name
        seen.add(folded(name))
    return ""


def _row(
    line: int, names: list[str], cells: list[str], unnamed: set[int]
) -> dict[str, Any] | Fault:
    if len(cells) != len(names):
        beyond = cells[len(names) :]
        if len(cells) < len(names) or any(cell.strip() for cell in beyond):
            found = f"{len(cells)} cells, but the header has {len(names)}"
            return Fault(kind="broken_csv", line=line, found=found)
        cells = cells[: len(names)]
    for name, cell in zip(names, cells, strict=True):
        if is_not_utf8(cell):
            return Fault(kind="not_utf8", line=line, field=name)
    return {
        name: cell
        for n, (name, cell) in enumerate(zip(names, cells, strict=True))
        if n not in unnamed or not (cell.isdigit() or not cell.strip())
    }
