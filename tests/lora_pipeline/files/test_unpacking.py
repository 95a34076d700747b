"""A small file that stands for a large one is found out while it unpacks."""

import gzip
import io

import pytest

from lora_pipeline.files.unpacking import FREE_BYTES, Gauge, Gauged, UnpacksTooLarge

MIB = 1024**2


def test_ten_megabytes_are_free_whatever_they_come_from():
    gauge = Gauge(most_bytes=10**12, packed=1)
    gauge.add(FREE_BYTES)
    assert gauge.given == FREE_BYTES


def test_beyond_them_200_times_the_packed_bytes_may_come():
    gauge = Gauge(most_bytes=10**12, packed=1000)
    gauge.add(FREE_BYTES + 200_000)
    with pytest.raises(UnpacksTooLarge, match="more than 200 times its 1,000 bytes"):
        gauge.add(1)


def test_the_limit_of_the_kind_holds_before_the_ratio_does():
    with pytest.raises(UnpacksTooLarge, match="more than 50 bytes"):
        Gauge(most_bytes=50, packed=10**9).add(51)


def test_a_stream_ends_soon_after_the_measure_is_full():
    bomb = io.BytesIO(gzip.compress(bytes(300 * MIB)))
    opened = gzip.GzipFile(fileobj=bomb)
    gauge = Gauge(most_bytes=10**12, packed=bomb.tell)
    stream = io.BufferedReader(Gauged(opened, gauge), MIB)
    with pytest.raises(UnpacksTooLarge):
        stream.read()
    assert gauge.given < 80 * MIB
