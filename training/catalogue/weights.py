"""Counts a model's parameters from the headers of its safetensors files."""

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path

MOST_HEADER_BYTES = 100 * 1024 * 1024
BUFFERS = ("inv_freq", ".attn.bias", ".masked_bias", ".attention.bias")
"""Ends of the names of tensors that older files hold without being weights."""


def parameters_of(folder: Path) -> int | None:
    """The numbers in all weights of a folder, none read; None where nothing tells.

    A quantised model stores several weights in one number, so that its count is lower
    than its makers'.
    """
    files = sorted(folder.glob("*.safetensors"))
    try:
        return sum(sum(_sizes(file)) for file in files) or None
    except (OSError, ValueError, struct.error, AttributeError, KeyError, TypeError):
        return None


def _sizes(file: Path) -> Iterator[int]:
    """The sizes of a file's tensors; the format begins with a JSON header."""
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        if length > MOST_HEADER_BYTES:
            raise ValueError(f"{file} has a header of {length:,} bytes.")
        header = json.loads(opened.read(length))
    for name, tensor in header.items():
        if name != "__metadata__" and not name.endswith(BUFFERS):
            yield math.prod(tensor["shape"])
