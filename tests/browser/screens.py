"""`make screens`: every page, filled, empty, of operators; light, dark, two widths."""

import pytest

from tests.browser.conftest import state_of
from tests.browser.scene import EVERYWHERE, fill, full_pages
from tests.browser.test_admin import operators_pages
from tests.trainer.conftest import ROOT, Console

SCREENS = ROOT / "var" / "screens"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
SIZES = {"wide": WIDE, "narrow": NARROW}


@pytest.fixture(scope="module")
def console(own_console) -> Console:
    return own_console


@pytest.fixture(scope="module")
def pages(console):
    ids = fill(console)
    return {
        ("owner", "filled"): full_pages(ids),
        ("newcomer", "empty"): EVERYWHERE,
        ("root", "operator"): operators_pages(console),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("user", "state"),
    [("owner", "filled"), ("newcomer", "empty"), ("root", "operator")],
)
def test_take(browser, console, pages, user, state, size, scheme):
    context = browser.new_context(
        storage_state=state_of(browser, console, user),
        base_url=console.url,
        color_scheme=scheme,
        viewport=SIZES[size],
    )
    page = context.new_page()
    SCREENS.mkdir(parents=True, exist_ok=True)
    for name, path in pages[user, state].items():
        page.goto(path, wait_until="load")
        page.wait_for_timeout(150)
        file = SCREENS / f"{name}-{state}-{scheme}-{size}.png"
        page.screenshot(path=file, full_page=True)
    context.close()
