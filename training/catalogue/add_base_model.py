"""Adds a base model to the catalogue, with dimensions from its config.json."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.catalogue.model_type import read_model_type
from training.domain.catalogue.architecture_config import architecture_from_config
from training.launchers.program import TrainerMissing, hub_token, run, trainer_command
from training.models import BaseModel

FETCH_SECONDS = 120


class CannotAdd(ValueError):
    """The config.json is missing or unsupported; the message says what to do."""


def add_base_model(
    id_or_path: str,
    *,
    model_id: str | None = None,
    name: str | None = None,
    revision: str = "",
) -> BaseModel:
    """Add or update a model: a local folder or a Hugging Face hub id.

    Raises CannotAdd if there is no config.json, or none whose parameters can be
    counted exactly.
    """
    folder = Path(id_or_path).expanduser()
    local = folder.is_dir()
    file = folder / "config.json" if local else _fetched(id_or_path, revision)
    facts = {
        "name": name or folder.name.replace("-", " "),
        "source": BaseModel.Source.FOLDER if local else BaseModel.Source.HUB,
        "path": BaseModel.path_of(folder) if local else "",
        "revision": revision,
        "model_type": read_model_type(file),
        **_dimensions(file),
        "dimensions_source": str(file.resolve())[-300:] if local else _hub(id_or_path),
        "enabled": True,
    }
    key = model_id or (folder.name if local else id_or_path)
    model, _ = BaseModel.objects.update_or_create(pk=key, defaults=facts)
    return model


def _hub(model_id: str) -> str:
    return f"https://huggingface.co/{model_id}/blob/main/config.json"


def _dimensions(file: Path) -> dict[str, Any]:
    try:
        architecture = architecture_from_config(json.loads(file.read_text()))
    except OSError:
        words = f"{file} does not exist: use a folder with a config.json, or a hub id."
        raise CannotAdd(words) from None
    except (ValueError, TypeError) as error:
        raise CannotAdd(f"{file} cannot be used. {error}") from None
    parameters = architecture.parameters
    return {"dimensions": asdict(architecture), "parameters": parameters}


def _fetched(model_id: str, revision: str) -> Path:
    """The config.json of a hub id, fetched by the trainer, which has the hub client."""
    command = trainer_command("config", model_id, "--revision", revision)
    try:
        done = run(command, seconds=FETCH_SECONDS, extra=hub_token())
    except subprocess.TimeoutExpired:
        raise CannotAdd(f"Hugging Face did not answer in {FETCH_SECONDS} s.") from None
    except TrainerMissing as missing:
        raise CannotAdd(str(missing)) from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotAdd(
            f"{model_id} is neither a local folder nor a model that Hugging Face "
            f"serves ({reason[:300]}). Gated models need HF_TOKEN."
        )
    return Path(done.stdout.strip().splitlines()[-1])
