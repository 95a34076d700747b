"""What this machine has, by the catalogue's names."""

import pytest

from training.catalogue import detect
from training.models import GpuOffer, GpuType

GB = 10**9


@pytest.mark.parametrize(
    ("card", "gigabytes", "known"),
    [
        ("NVIDIA A100-SXM4-80GB", 85, "A100-80GB"),
        ("NVIDIA A100-PCIE-40GB", 42, "A100-40GB"),
        ("NVIDIA H100 80GB HBM3", 85, "H100"),
        ("NVIDIA H200", 150, "H200"),
        ("Tesla V100-SXM2-32GB", 34, "V100-32GB"),
        ("NVIDIA L4", 24, "L4"),
        ("NVIDIA L40S", 48, "L40S"),
        ("NVIDIA GeForce RTX 4090", 25, "RTX-4090"),
        ("NVIDIA GeForce RTX 3090", 25, "RTX-3090"),
        ("Tesla T4", 16, "T4"),
        ("AMD Instinct MI300X", 206, "MI300X"),
        ("NVIDIA RTX A6000", 51, "RTX-A6000"),
    ],
)
def test_a_card_is_known_by_its_name_and_size(db, card, gigabytes, known):
    assert detect._type_name(card, gigabytes * GB) == known


def test_a_card_of_ones_own_is_offered_without_a_price(db):
    detect._enter({"RTX-4090": ["0"]})
    gpu = GpuType.objects.get(pk="RTX-4090")
    assert (gpu.enabled, gpu.usd_per_hour) == (True, 0)
    assert GpuOffer.objects.get().gpu_type == gpu


def test_what_an_operator_switched_off_later_stays_off(db):
    detect._enter({"RTX-4090": ["0"]})
    GpuType.objects.filter(pk="RTX-4090").update(enabled=False)
    detect._enter({"RTX-4090": ["0"]})
    assert not GpuType.objects.get(pk="RTX-4090").enabled


def test_the_processors_memory_is_the_machines_or_its_groups(db, tmp_path):
    detect._enter({"CPU": ["cpu-0"]})
    whole = GpuType.objects.get(pk="CPU").capacity_gib
    assert whole > 0.5
    limit = tmp_path / "memory.max"
    limit.write_text("1073741824\n")
    assert detect.memory_gib(limit) == 1.0
    limit.write_text("max\n")
    assert detect.memory_gib(limit) >= whole
