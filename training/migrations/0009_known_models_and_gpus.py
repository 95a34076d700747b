"""What the estimator knows of models and GPUs, entered in the catalogue.

New GPU types come disabled, with a dated suggestion of a price; models come enabled,
since a job can be estimated before the weights are here.
"""

from dataclasses import asdict

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from training.domain.catalogue.base_models import KNOWN_MODELS, KnownModel
from training.domain.catalogue.first_rows import NOMINAL_TOKENS_PER_SECOND, SUGGESTED
from training.domain.catalogue.gpus import HARDWARE, PRICE_SUGGESTIONS, Hardware

ASKING = ("meta-llama/", "google/", "mistralai/")


def hardware_facts(hardware: Hardware) -> dict[str, object]:
    return {
        "family": hardware.family,
        "peak_tflops": {n: v / 1e12 for n, v in hardware.peak_flops.items()},
        "bandwidth_gb_per_second": hardware.bandwidth / 1e9,
        "link_gb_per_second": hardware.link / 1e9,
        "capacity_gib": hardware.capacity_gib,
        "evidence": hardware.evidence,
        "evidence_note": hardware.note,
    }


def enter_hardware(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    gpu_types = apps.get_model("training", "GpuType")
    for facts in SUGGESTED:
        price = PRICE_SUGGESTIONS[facts.name]
        gpu_types.objects.get_or_create(
            name=facts.name,
            defaults={
                "usd_per_hour": 0,
                "tokens_per_second": NOMINAL_TOKENS_PER_SECOND,
                "speed_measured": False,
                "memory_gb": facts.memory_gb,
                "description": facts.description,
                "enabled": False,
                "suggested_usd_per_hour": price.usd_per_hour,
                "suggestion_note": f"{price.dated}: {price.source}",
            },
        )
    for name, hardware in HARDWARE.items():
        gpu_types.objects.filter(name=name).update(**hardware_facts(hardware))


def note_of(known: KnownModel) -> str:
    gigabytes = known.published_parameters * 2 / 1e9
    note = f"The first run fetches {gigabytes:,.1f} GB from Hugging Face."
    if known.id.startswith(ASKING):
        note += " Its makers may ask you to accept a licence first; set HF_TOKEN."
    return note


def enter_models(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    base_models = apps.get_model("training", "BaseModel")
    for known in KNOWN_MODELS.values():
        dimensions = {
            "dimensions": asdict(known.architecture),
            "dimensions_source": known.source,
        }
        new = {
            "name": known.id.rpartition("/")[2].replace("-", " "),
            "source": "hub",
            "parameters": known.published_parameters,
            "note": note_of(known),
        }
        base_models.objects.update_or_create(
            id=known.id, defaults=dimensions, create_defaults=dimensions | new
        )


class Migration(migrations.Migration):
    dependencies = [("training", "0008_estimator")]
    operations = [
        migrations.RunPython(enter_hardware, migrations.RunPython.noop),
        migrations.RunPython(enter_models, migrations.RunPython.noop),
    ]
