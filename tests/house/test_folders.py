"""How the four apps lie: a folder that can be read at one look."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("lora_pipeline", "datasets", "training", "notifications")
MOST = 16


def crowded(app: Path) -> dict[str, int]:
    """Folders with more modules than may be; migrations and the trainer aside."""
    counts: dict[str, int] = {}
    for module in app.rglob("*.py"):
        folder = module.parent.relative_to(app)
        if not {"migrations", "trainer"} & set(folder.parts):
            counts[str(folder)] = counts.get(str(folder), 0) + 1
    return {folder: count for folder, count in counts.items() if count > MOST}


@pytest.mark.parametrize("app", APPS)
def test_no_folder_holds_more_than_16_modules(app):
    assert (ROOT / app / "__init__.py").is_file()
    assert crowded(ROOT / app) == {}


def test_a_crowded_folder_is_named_with_its_count(tmp_path):
    for place in ("pages", "migrations", "trainer/parts"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(17):
            (tmp_path / place / f"m{number}.py").touch()
    assert crowded(tmp_path) == {"pages": 17}
