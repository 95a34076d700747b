"""What this machine has to train on, entered as offers when the console starts."""

import json
import logging
import os
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from training.domain.catalogue import CPU
from training.launchers.local import BACKEND
from training.models import GpuOffer, GpuType

Offers = dict[str, list[str]]
logger = logging.getLogger(__name__)
UNMEASURED_TOKENS_PER_SECOND = 1000
ASK_TORCH = """
import json, torch
found = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
facts = [torch.cuda.get_device_properties(n) for n in found]
print(json.dumps([[f.name, f.total_memory] for f in facts]))
"""


def detect() -> dict[str, int]:
    """The types and counts offered here: CPU, and the GPUs that the trainer sees."""
    if not Path(settings.TRAINER_PYTHON).is_file():
        logger.warning(
            "No trainer at %s: jobs stay queued until 'make install-trainer' was run.",
            settings.TRAINER_PYTHON,
        )
        offers: Offers = {}
    else:
        offers = {CPU: [f"cpu-{n}" for n in range(settings.CPU_SLOTS)]} | _gpus()
    _enter(offers)
    return {gpu_type: len(devices) for gpu_type, devices in offers.items()}


def _gpus() -> Offers:
    """Device ids by type: as CUDA_VISIBLE_DEVICES names them where it is set."""
    if shutil.which("nvidia-smi") is None:
        return {}
    command = [str(settings.TRAINER_PYTHON), "-I", "-c", ASK_TORCH]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    if not found:
        logger.warning(
            "This machine has a GPU that the trainer's torch does not see. Install "
            "torch==2.13.0 with CUDA into the trainer's environment: see the README."
        )
    visible = [v for v in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if v]
    offers: Offers = defaultdict(list)
    for index, (name, memory) in enumerate(found):
        device = visible[index].strip() if index < len(visible) else str(index)
        offers[_type_name(name, memory)].append(device)
    return dict(offers)


def _type_name(name: str, memory_bytes: int) -> str:
    """The catalogue's type of a card; one that is not in it gets a row of its own."""
    memory_gb = round(memory_bytes / 1e9)
    for gpu in GpuType.objects.exclude(memory_gb=None):
        family = gpu.name.partition("-")[0]
        if family in name and abs((gpu.memory_gb or 0) - memory_gb) <= 6:
            return gpu.name
    own = name.removeprefix("NVIDIA ").replace(" ", "-")[:50]
    GpuType.objects.get_or_create(
        pk=own,
        defaults={
            "usd_per_hour": Decimal(0),
            "tokens_per_second": UNMEASURED_TOKENS_PER_SECOND,
            "speed_measured": False,
            "memory_gb": memory_gb,
            "description": "Found on this machine; its speed was not measured",
        },
    )
    return own


@transaction.atomic
def _enter(offers: Offers) -> None:
    GpuOffer.objects.filter(backend=BACKEND).exclude(gpu_type__in=offers).delete()
    for gpu_type, devices in offers.items():
        GpuOffer.objects.update_or_create(
            backend=BACKEND,
            gpu_type_id=gpu_type,
            defaults={
                "count": len(devices),
                "devices": devices,
                "seen_at": timezone.now(),
            },
        )
