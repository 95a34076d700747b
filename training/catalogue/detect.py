"""Detects this machine's hardware and registers it when the console starts."""

import contextlib
import json
import logging
import os
import re
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from training.domain.catalogue.gpus import CPU
from training.domain.estimator.memory import GIB
from training.launchers.local import BACKEND
from training.launchers.program import python_command, run
from training.models import GpuOffer, GpuType

Offers = dict[str, list[str]]
logger = logging.getLogger(__name__)
UNMEASURED_TOKENS_PER_SECOND = 1000
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
ASK_TORCH = """
import json, torch
found = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
facts = [torch.cuda.get_device_properties(n) for n in found]
print(json.dumps([[f.name, f.total_memory] for f in facts]))
"""


def detect() -> dict[str, int]:
    """The GPU types and counts offered here: CPU, and the GPUs the trainer sees."""
    if not settings.TRAINER_PYTHON.is_file():
        logger.warning(
            "No trainer at %s: jobs stay queued until you run 'make install-trainer'.",
            settings.TRAINER_PYTHON,
        )
        offers: Offers = {}
    else:
        offers = {CPU: [f"cpu-{n}" for n in range(settings.CPU_SLOTS)]} | _gpus()
    _enter(offers)
    return {gpu_type: len(devices) for gpu_type, devices in offers.items()}


def _gpus() -> Offers:
    """Device ids by type, as named in CUDA_VISIBLE_DEVICES if it is set."""
    if shutil.which("nvidia-smi") is None:
        return {}
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    extra = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    done = run(python_command("-c", ASK_TORCH), seconds=120, extra=extra)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    if not found:
        logger.warning(
            "This machine has a GPU that the trainer's torch does not see. Install "
            "torch==2.13.0 with CUDA into the trainer's environment: see the README."
        )
    visible = [v for v in (named or "").split(",") if v]
    offers: Offers = defaultdict(list)
    for index, (name, memory) in enumerate(found):
        device = visible[index].strip() if index < len(visible) else str(index)
        offers[_type_name(name, memory)].append(device)
    return dict(offers)


def _type_name(name: str, memory_bytes: int) -> str:
    """The catalogue's GPU type for a card; an unknown card gets its own row.

    All words of the type's name except its size must be in the card's name. Of several
    sizes the nearest within 10 % wins, since drivers report memory differently.
    """
    words, memory_gb = set(re.split("[^A-Za-z0-9]+", name)), round(memory_bytes / 1e9)
    near = [
        (abs(gpu.memory_gb - memory_gb), gpu.name)
        for gpu in GpuType.objects.exclude(memory_gb=None)
        if gpu.memory_gb is not None
        and set(gpu.name.split("-")) - {f"{gpu.memory_gb}GB"} <= words
        and abs(gpu.memory_gb - memory_gb) <= gpu.memory_gb / 10
    ]
    if near:
        return min(near)[1]
    own = name.removeprefix("NVIDIA ").replace(" ", "-")[:50]
    GpuType.objects.get_or_create(
        pk=own,
        defaults={
            "usd_per_hour": Decimal(0),
            "tokens_per_second": UNMEASURED_TOKENS_PER_SECOND,
            "speed_measured": False,
            "memory_gb": memory_gb,
            "description": "Detected on this machine; speed not measured",
        },
    )
    return own


@transaction.atomic
def _enter(offers: Offers) -> None:
    GpuOffer.objects.filter(backend=BACKEND).exclude(gpu_type__in=offers).delete()
    for gpu_type, devices in offers.items():
        _, is_new = GpuOffer.objects.update_or_create(
            backend=BACKEND,
            gpu_type_id=gpu_type,
            defaults={
                "count": len(devices),
                "devices": devices,
                "seen_at": timezone.now(),
            },
        )
        if is_new:
            _offer_unpriced(gpu_type)
    GpuType.objects.filter(pk=CPU).update(capacity_gib=memory_gib())


def _offer_unpriced(gpu_type: str) -> None:
    """Your own card costs 0.00 USD, even if its type has no price."""
    unpriced = GpuType.objects.filter(pk=gpu_type, usd_per_hour=0, enabled=False)
    unpriced.update(enabled=True, suggested_usd_per_hour=None, suggestion_note="")


def memory_gib(limit: Path = CGROUP_LIMIT) -> float:
    """Memory available to processes here: the machine's, or the cgroup limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(limit.read_text()))
    return round(total / GIB, 2)
