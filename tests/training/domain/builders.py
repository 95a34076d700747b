"""Small jobs for the estimator's tests, with what a test cares about given by name."""

from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.base_models import KNOWN_MODELS
from training.domain.catalogue.gpus import HARDWARE, Hardware
from training.domain.estimator.batches import LengthHistogram
from training.domain.estimator.plan import Place, Setup
from training.domain.method import Method

SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
A100 = HARDWARE["A100-80GB"]


def dimensions(model: str = LLAMA) -> Architecture:
    return KNOWN_MODELS[model].architecture


def lengths(**counts: int) -> LengthHistogram:
    """`lengths(t100=3, t200=1)`: three sequences of 100 tokens and one of 200."""
    by_length = {int(name[1:]): count for name, count in counts.items()}
    ordered = sorted(by_length)
    return LengthHistogram(
        lengths=tuple(ordered), counts=tuple(by_length[n] for n in ordered)
    )


def setup(model: str = LLAMA, method: Method | None = None, **changes) -> Setup:
    values = {
        "base_model": model,
        "architecture": dimensions(model),
        "lengths": lengths(t200=600, t500=300, t1500=100),
        "batch_size": 8,
        "epochs": 3,
        "max_length": 1024,
        "method": method or Method(),
    }
    return Setup(**(values | changes))


def place(hardware: Hardware = A100, count: int = 1, **changes) -> Place:
    values = {
        "hardware": hardware,
        "gpu_count": count,
        "available_gib": hardware.capacity_gib,
    }
    return Place(**(values | changes))
