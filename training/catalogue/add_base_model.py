"""Adds a base model to the catalogue, with what its files tell of it."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.catalogue.model_type import read_model_type
from training.catalogue.weights import parameters_of
from training.domain.catalogue.architecture_config import (
    UnknownArchitecture,
    architecture_from_config,
)
from training.launchers.program import TrainerMissing, hub_token, run, trainer_command
from training.models import BaseModel

FETCH_SECONDS = 120
NOT_CAUSAL = (
    "ForMaskedLM",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForPreTraining",
)


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

    Any causal language model is taken: where its dimensions cannot be computed, its
    parameters are counted from the headers of its weights, and estimates say what they
    do not know. Raises CannotAdd without a config.json, and for other models.
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
    config = _config(file)
    counted = parameters_of(file.parent)
    try:
        architecture = architecture_from_config(config)
    except UnknownArchitecture:
        return {"dimensions": {}, "parameters": counted}
    except (ValueError, TypeError) as error:
        raise CannotAdd(f"{file} cannot be used. {error}") from None
    if counted and counted != architecture.parameters:
        # The files know better than our formula, which then has no place in estimates.
        return {"dimensions": {}, "parameters": counted}
    found = asdict(architecture)
    return {"dimensions": found, "parameters": architecture.parameters}


def _config(file: Path) -> dict[str, Any]:
    """The config.json of a causal language model. Raises CannotAdd."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError:
        words = f"{file} does not exist: use a folder with a config.json, or a hub id."
        raise CannotAdd(words) from None
    except ValueError as error:
        raise CannotAdd(f"{file} cannot be used: it is not JSON. {error}") from None
    if not isinstance(found, dict) or not found.get("model_type"):
        raise CannotAdd(f"{file} cannot be used: it names no model_type.")
    made_for = [str(name) for name in found.get("architectures") or ()]
    others = [name for name in made_for if name.endswith(NOT_CAUSAL)]
    if found.get("is_encoder_decoder") or (others and others == made_for):
        raise CannotAdd(
            f"{file} is of no causal language model ({', '.join(made_for)}), and only "
            "such models are trained here."
        )
    return found


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
