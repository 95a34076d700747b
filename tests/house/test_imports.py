"""What `make check` refuses: a planted circle, a planted upward import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.circles import find_circles

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = """
[tool.importlinter]
root_packages = ["shop"]
contract_types = ["no_circles: tests.house.circles.NoCircles"]

[[tool.importlinter.contracts]]
name = "Downwards"
type = "layers"
layers = ["shop.pages", "shop.prices"]

[[tool.importlinter.contracts]]
name = "No circle"
type = "no_circles"
"""


def lint(folder: Path, **modules: str) -> tuple[int, str]:
    """What import-linter says of a made-up package `shop`."""
    package = folder / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, source in ({"pages": "", "prices": ""} | modules).items():
        (package / f"{name}.py").write_text(source)
    (folder / "pyproject.toml").write_text(CONTRACTS)
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_package_that_imports_downwards_is_let_through(tmp_path):
    code, said = lint(tmp_path, pages="from shop import prices")
    assert code == 0, said
    assert "2 kept, 0 broken" in said


def test_an_upward_import_is_refused(tmp_path):
    code, said = lint(tmp_path, prices="from shop import pages")
    assert code == 1, said
    assert "shop.prices is not allowed to import shop.pages" in said


def test_a_circle_closed_inside_a_function_is_refused_with_its_modules(tmp_path):
    code, said = lint(
        tmp_path,
        names="from shop import taxes",
        taxes="def of(name):\n    from shop import names\n    return names",
    )
    assert code == 1, said
    assert "2 modules import each other" in said
    assert "shop.names" in said
    assert "shop.taxes" in said


@pytest.mark.parametrize(
    ("imports", "circles"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}, [["b", "c"]]),
        (
            {"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"e"}, "e": {"c"}},
            [["a", "b"], ["c", "d", "e"]],
        ),
        ({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"b"}}, [["a", "b", "c", "d"]]),
    ],
)
def test_circles_are_found_whole_and_apart(imports, circles):
    assert find_circles(imports) == circles


def test_a_chain_longer_than_the_call_stack_is_walked():
    chain = {str(n): {str(n + 1)} for n in range(5000)} | {"5000": {"0"}}
    [circle] = find_circles(chain)
    assert len(circle) == 5001
