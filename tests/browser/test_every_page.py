"""What holds for every page: axe, phone width, one host, a policy that never speaks."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import LOOKS, forbidden, state_of, watch
from tests.browser.scene import EVERYWHERE, fill, full_pages
from tests.trainer.conftest import Console

pytestmark = pytest.mark.browser
INLINE = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = 1";
    document.body.append(script);
    document.body.setAttribute("style", "color: red");
    document.body.append(Object.assign(new Image(), {src: "http://localhost:1/x"}));
}"""
STRICT = {"script-src 'self'", "style-src 'self'", "default-src 'none'"}


@pytest.fixture(scope="module")
def console(own_console) -> Console:
    return own_console


@pytest.fixture(scope="module")
def pages(console):
    return {"owner": full_pages(fill(console)), "newcomer": EVERYWHERE}


def complaints(said: list[str]) -> list[str]:
    """All that was said but notes, and the status of the page that is not there."""
    kinds = ("error", "warning", "violation")
    return [
        line
        for line in said
        if line.startswith(kinds) and "404 (Not Found)" not in line
    ]


def is_strict(answer) -> bool:
    policy = answer.headers.get("content-security-policy", "")
    return set(policy.split("; ")) >= STRICT and "unsafe" not in policy


def serious(page) -> list[str]:
    """Serious and critical violations that axe finds, in words."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
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
    said = watch(context)
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda r: hosts.add("/".join(r.url.split("/")[:3])))
    faults = []
    for name, path in pages[user].items():
        answer = page.goto(path, wait_until="load")
        faults += [f"{name}: no policy"] * (not is_strict(answer))
        faults += [f"{name}: {words}" for words in serious(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name}: {wide} px wide"] * (wide > width)
    context.close()
    assert faults == []
    assert complaints(said) == []
    assert {host for host in hosts if host.startswith("http")} == {console.url}


def test_every_page_of_the_admin_keeps_the_policy(browser, console, pages):
    context = browser.new_context(
        storage_state=state_of(browser, console, "operator"), base_url=console.url
    )
    said = watch(context)
    page = context.new_page()
    page.goto("/admin/")
    lists = hrefs(page, "#content-main th a, #content-main .addlink")
    assert len(lists) > 5
    for path in lists:
        assert is_strict(page.goto(path, wait_until="load"))
        for row in hrefs(page, "#result_list th a")[:1]:
            page.goto(row, wait_until="load")
    page.goto("/admin/lora_pipeline/user/add/")
    page.goto("/admin/password_change/")
    context.close()
    assert complaints(said) == []


def test_what_the_policy_forbids_is_reported(browser, console):
    context = browser.new_context(base_url=console.url)
    said = watch(context)
    page = context.new_page()
    page.goto("/sign-in")
    page.evaluate(INLINE)
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    context.close()
    found = [line for line in forbidden(said) if line.startswith("violation")]
    assert len(found) == 3
    assert [line for line in found if "script-src-elem inline" in line]
    assert [line for line in found if "style-src-attr inline" in line]
    assert [line for line in found if "img-src" in line]


def hrefs(page, selector: str) -> list[str]:
    """Where the links lead."""
    found = page.locator(selector)
    return found.evaluate_all("all => all.map((link) => link.getAttribute('href'))")
