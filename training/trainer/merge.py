"""Merges an adapter into its base model, as an archive of a model folder."""

import shutil
from pathlib import Path

from adapted import base_folder, load
from compare import say
from ending import ends_of
from saving import make_archive, sha256
from tidy import tidy_tokenizer


def merge_adapter(model: str, revision: str | None, adapter: Path, target: Path) -> int:
    """Write `target`, a zip of the merged model in float32 with its tokenizer.

    W + B A * alpha / r is computed in float32; PEFT rejects non-finite weights.
    """
    work = target.with_suffix(".merging")
    shutil.rmtree(work, ignore_errors=True)
    try:
        say(stage="Loading the base model")
        loaded, tokenizer = load(base_folder(model, revision), adapter)
        say(stage="Merging")
        merged = loaded.merge_and_unload(safe_merge=True)
        say(stage="Saving the model")
        ends = ends_of(merged, tokenizer)
        merged.generation_config.eos_token_id = ends
        merged.config.get_text_config().eos_token_id = ends
        merged.save_pretrained(work)
        tokenizer.save_pretrained(work)
        tidy_tokenizer(work)
        if (card := adapter / "README.md").is_file():
            shutil.copy(card, work / "ADAPTER.md")
        say(stage="Packing")
        make_archive(work, target)
        say(sha256=sha256(target))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0
