"""Saved files that are the same bytes whenever the same was saved."""

import json
from pathlib import Path
from typing import Any

TOKENIZER_CONFIG = "tokenizer_config.json"
WHERE_LOADED = ("is_local", "local_files_only")
UNORDERED = ("target_modules", "exclude_modules")


def tidy_tokenizer(folder: Path) -> None:
    """Leave out what transformers notes of where it loaded the tokenizer from."""
    _rewrite(folder / TOKENIZER_CONFIG, _without_origin)


def tidy_adapter(file: Path) -> None:
    """PEFT keeps module names in a set, and writes it in another order each time."""
    _rewrite(file, _sorted)


def _without_origin(config: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in WHERE_LOADED}


def _sorted(config: dict[str, Any]) -> dict[str, Any]:
    ordered = {
        k: sorted(config[k]) for k in UNORDERED if isinstance(config.get(k), list)
    }
    return config | ordered


def _rewrite(file: Path, change: Any) -> None:
    changed = change(json.loads(file.read_text()))
    file.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n")
