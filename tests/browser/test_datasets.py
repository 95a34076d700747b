"""Datasets in Chromium: drop and progress, faults, signal, undo, without JavaScript."""

import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
DROP = """
([name, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([content], name));
    const zone = document.querySelector(".drop");
    for (const type of ["dragenter", "dragover", "drop"])
        zone.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true,
            cancelable: true}));
}
"""


def rows(count: int) -> str:
    def row(number: int) -> str:
        turns = [
            {"role": "user", "content": f"question {number} of the lamp"},
            {"role": "assistant", "content": f"the answer {number} of the lamp"},
        ]
        return json.dumps({"messages": turns})

    return "\n".join(map(row, range(count)))


def drop(page, name: str, content: str) -> None:
    page.goto("/datasets/upload")
    page.evaluate(DROP, [name, content])
    expect(page.locator("[data-file-name]")).to_contain_text(name)


def test_a_dropped_file_is_sent_with_progress_and_checked(open_page):
    page = open_page("/datasets/upload")
    drop(page, "dropped.jsonl", rows(20_000))
    page.evaluate(
        "() => { window.seen = []; new MutationObserver(() => window.seen.push("
        "document.querySelector('[data-sent]').textContent)).observe("
        "document.querySelector('.sending'), {subtree: true, childList: true}); }"
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="dropped")).to_be_visible(timeout=30_000)
    expect(page.locator("#live")).to_have_attribute(
        "data-status", "ready", timeout=60_000
    )
    expect(page.locator(".facts")).to_contain_text("18,000")
    expect(page.locator("#live")).not_to_have_attribute("hx-trigger", "every 1s")


def test_faults_are_listed_by_line_and_a_refused_form_keeps_its_words(open_page):
    page = open_page("/datasets/upload")
    drop(page, "broken.jsonl", rows(2) + "\n{broken\n[]\n")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#live")).to_have_attribute(
        "data-status", "error", timeout=60_000
    )
    table = page.locator(".faults table")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).to_contain_text("Invalid JSON")
    drop(page, "empty.jsonl", "")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".errorlist")).to_contain_text("The file is empty")


def test_the_signal_follows_example_and_length(open_page, console):
    dataset = console.upload(30)
    page = open_page(f"/datasets/{dataset}")
    page.get_by_label("Base model").select_option("tests/tiny")
    expect(page.locator("#look .tokens .learned").first).to_be_visible(timeout=20_000)
    ends = page.locator("#look .tokens .ends-turn")
    expect(ends).to_have_text(["<|end|>"])
    page.get_by_label("Max length").fill("16")
    page.get_by_label("Max length").press("Enter")
    expect(page.locator("#look")).to_contain_text("cut at 16")
    expect(page.locator("#look .tokens .ends-turn:not(.cut)")).to_have_count(0)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#look")).to_contain_text("Example 2 of 27")


def test_foreign_columns_are_mapped_by_keyboard_with_a_live_preview(open_page):
    page = open_page("/datasets/upload")
    foreign = [{"frage": f"Wie viele {n}?", "spalte": f"{n} Lampen."} for n in range(9)]
    drop(page, "foreign.jsonl", "\n".join(map(json.dumps, foreign)))
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Say which column is what").click(timeout=60_000)
    shown = page.locator("#mapped")
    expect(shown).to_contain_text("Nothing would be learned")
    expect(page.get_by_label("frage")).to_have_value("question")
    page.get_by_label("frage").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("spalte")).to_be_focused()
    page.keyboard.type("answer")
    expect(page.get_by_label("spalte")).to_have_value("answer")
    page.keyboard.press("Tab")
    expect(shown.locator(".bubble.learned")).to_contain_text("0 Lampen.")
    expect(shown).to_contain_text("Wie viele 0?")
    page.get_by_role("button", name="Read the file like this").press("Enter")
    expect(page.locator("#live")).to_have_attribute(
        "data-status", "ready", timeout=60_000
    )
    expect(page.locator(".facts")).to_contain_text("mapped by hand")


def test_deleting_offers_to_undo(open_page, console):
    dataset = console.upload(3)
    page = open_page(f"/datasets/{dataset}")
    page.get_by_text("Delete this dataset").click()
    page.get_by_role("button", name="Delete a").click()
    expect(page.locator(".undo")).to_contain_text("was deleted")
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(f"{console.url}/datasets/{dataset}")


def test_all_of_it_works_without_javascript(browser, console, signed_in):
    context = browser.new_context(
        java_script_enabled=False, storage_state=signed_in, base_url=console.url
    )
    page = context.new_page()
    page.goto("/datasets/upload")
    page.locator("#id_file").set_input_files(
        files=[{"name": "plain.jsonl", "mimeType": "application/jsonl",
                "buffer": rows(30).encode()}]
    )  # fmt: skip
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="plain")).to_be_visible()
    console.wait(lambda: page.reload() and page.locator("#look").count(), 60)
    page.get_by_label("Example", exact=True).fill("2")
    page.get_by_role("button", name="Update").click()
    expect(page.locator("#look")).to_contain_text("Example 2 of 27")
    context.close()
