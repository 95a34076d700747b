"""Catalogue lookup for a request: GPU types and the base model."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Subquery
from django.db.models.functions import JSONObject

from lora_pipeline.postgres.compiled import Compiled
from training.estimates import calibration
from training.models import BaseModel, GpuType
from training.models.catalogue import GpuTypeQuerySet


def is_connected(gpu: GpuType) -> bool:
    """Whether a backend offers the type; for rows from `with_connection()`."""
    return bool(getattr(gpu, "connected", False))


MODEL_FACTS = (
    "id", "name", "path", "model_type", "parameters", "dimensions", "fetched_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The catalogue rows for a request.

    `machines` are all enabled types, connected ones first; `model` is the base model to
    train, or None if unknown; `version` is that of the calibration.
    """

    gpu: GpuType | None
    model_is_known: bool
    model: BaseModel | None = None
    machines: tuple[GpuType, ...] = ()
    version: int = 0


def look_up(*, gpu_type: str, base_model: str) -> Catalogue:
    """The enabled GPU types and the requested base model, in one query.

    Without a base model the job trains DEFAULT_BASE_MODEL, even if it is disabled.
    """
    wanted = (base_model or settings.DEFAULT_BASE_MODEL).replace("\0", "\ufffd")
    machines = tuple(MACHINES_AND_MODEL.rows(model=wanted))
    first = machines[0] if machines else None
    found = getattr(first, "model_facts", None)
    model = BaseModel(**found) if found else None
    return Catalogue(
        gpu=next((gpu for gpu in machines if gpu.name == gpu_type), None),
        model_is_known=model is not None or not base_model,
        model=model,
        machines=machines,
        version=getattr(first, "version", 0),
    )


def offered() -> GpuTypeQuerySet:
    """Enabled types, connected first, and the calibration version."""
    machines = GpuType.objects.enabled().with_connection()
    return machines.annotate(version=calibration.version())


def _with_model(model: str) -> GpuTypeQuerySet:
    """Each type with the facts of one base model, so that one query reads both."""
    models = BaseModel.objects.enabled().filter(pk=model).order_by()
    facts = JSONObject(**{name: name for name in MODEL_FACTS})
    asked = Subquery(models.annotate(facts=facts).values("facts")[:1])
    return offered().annotate(model_facts=asked)


MACHINES_AND_MODEL = Compiled(_with_model, model=str)
