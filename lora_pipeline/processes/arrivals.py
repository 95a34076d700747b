"""A request that is still on its way: gathered without holding a thread."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

HEADER_SECONDS = 10.0
BODY_GRACE_SECONDS = 10.0
LEAST_BYTES_PER_SECOND = 1024
MOST_HEADER_BYTES = 64 * 1024
# A body up to here is gathered before a thread is taken; a larger one is read by the
# view, once it knows who asks.
GATHERED_BODY_BYTES = 64 * 1024
END_OF_HEADER = b"\r\n\r\n"
LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?=\r\n)")
UNGATHERED = re.compile(rb"(?i)\r\n(expect|transfer-encoding):")
FORWARDED = re.compile(rb"(?i)\r\nx-forwarded-for:([^\r\n]*)")
IPV6_PREFIX = 64  # what one household or host is given
Network = IPv4Network | IPv6Network


@dataclass(slots=True)
class Arrival:
    """What of a request has come, and until when the rest may take."""

    data: bytearray = field(default_factory=bytearray)
    since: float = field(default_factory=time.monotonic)
    needed: int | None = None
    header: bytes = b""

    def add(self, piece: bytes) -> None:
        """Take what came; from the end of the header on, the length is known."""
        seen = max(len(self.data) - len(END_OF_HEADER) + 1, 0)
        self.data += piece
        if self.needed is None:
            end = self.data.find(END_OF_HEADER, seen)
            if end >= 0:
                self.header = bytes(self.data[: end + len(END_OF_HEADER)])
                self.needed = needed_bytes(self.header)

    @property
    def is_complete(self) -> bool:
        """Whether a thread can answer it without waiting for the client."""
        return self.needed is not None and len(self.data) >= self.needed

    @property
    def is_too_large(self) -> bool:
        """Whether no header ends within what one may have."""
        return self.needed is None and len(self.data) > MOST_HEADER_BYTES

    @property
    def deadline(self) -> float:
        """When it is given up: a header has its time, a body a least rate."""
        if self.needed is None:
            return self.since + HEADER_SECONDS
        rated = len(self.data) / LEAST_BYTES_PER_SECOND
        return self.since + HEADER_SECONDS + BODY_GRACE_SECONDS + rated


def needed_bytes(header: bytes) -> int:
    """Bytes of a request to gather: its header, and its body where that is small.

    Who expects to be told to go on sends no body before that; one in chunks is refused.
    """
    found = LENGTH.findall(header)
    length = int(found[0]) if len(found) == 1 else 0
    if length > GATHERED_BODY_BYTES or UNGATHERED.search(header):
        length = 0
    return len(header) + length


def is_among(peer: str, networks: Sequence[Network]) -> bool:
    """Whether a peer is one of the proxies; without an address it came by a socket."""
    if not peer:
        return True
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def client_of(header: bytes, peer: str, proxies: int, *, is_proxy: bool) -> str:
    """The address that a request counts for, IPv6 by its first 64 bits.

    With n proxies before the console it is the n-th of X-Forwarded-For from the right,
    if the peer is one of the proxies; anybody else cannot choose an address.
    """
    named = b",".join(FORWARDED.findall(header)).split(b",")
    found = peer
    if 0 < proxies <= len(named) and is_proxy:
        found = named[-proxies].decode("latin-1").strip() or peer
    try:
        address = ip_address(found)
        if (mapped := getattr(address, "ipv4_mapped", None)) is not None:
            return str(mapped)
        if address.version == 6:
            return str(ip_network((found, IPV6_PREFIX), strict=False))
    except ValueError:
        return peer
    return found
