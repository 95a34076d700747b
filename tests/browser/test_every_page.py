"""What holds for every page: axe, phone width, a quiet console, one host."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import state_of
from tests.browser.scene import EVERYWHERE, fill, full_pages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(console):
    return {"owner": full_pages(fill(console)), "newcomer": EVERYWHERE}


def serious(page) -> list[str]:
    """Serious and critical violations that axe finds, in words."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("user", ["owner", "newcomer"])
def test_every_page_is_accessible_narrow_quiet_and_our_own(
    browser, console, pages, user, width, scheme
):
    context = browser.new_context(
        storage_state=state_of(browser, console, user),
        base_url=console.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    said: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda m: said.append(f"{m.type} {page.url} {m.text}"))
    page.on("pageerror", lambda error: said.append(f"error {page.url} {error}"))
    page.on("request", lambda r: hosts.add("/".join(r.url.split("/")[:3])))
    faults = []
    for name, path in pages[user].items():
        page.goto(path, wait_until="load")
        faults += [f"{name}: {words}" for words in serious(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name}: {wide} px wide"] * (wide > width)
    context.close()
    said = [
        line
        for line in said
        if line.startswith(("error", "warning")) and "404 (Not Found)" not in line
    ]
    assert faults == []
    assert said == []
    assert {host for host in hosts if host.startswith("http")} == {console.url}
