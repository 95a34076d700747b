"""The configuration page in a real browser, against a real console."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
PRESS_START = """() => new Promise((answer) => {
    const start = document.getElementById("start");
    start.click();
    setTimeout(() => answer([start.disabled, start.textContent]), 100);
})"""
LIVE = "**/training/configure?*"
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
MAKE = """
from datasets.models import Dataset
from lora_pipeline.models import User
print(Dataset.objects.create(
    user=User.objects.get(username={owner!r}), name="My Dataset", format="openai_chat",
    status="ready", training_ready=True, file_name="a.jsonl", file_size=1000,
    total_training_pairs=1000, total_validation_pairs=100, total_tokens=13_268_571,
    avg_turns_per_conversation=2.0, tokens_exact=True,
).pk)
"""


@pytest.fixture(scope="module")
def dataset(console) -> str:
    return console.shell(MAKE.format(owner=console.owner))


@pytest.fixture
def page(open_page, dataset) -> Page:
    return open_page(f"/training/configure?datasetId={dataset}")


def box(page: Page, name: str):
    return page.locator(f"#id_{name}")


def fill(page: Page, name: str, value: str) -> None:
    """Type a value and wait for the estimate of it."""
    with page.expect_response(LIVE):
        box(page, name).fill(value)


def choose(page: Page, label: str) -> None:
    with page.expect_response(LIVE):
        page.locator(f".machine:has-text('{label}')").click()


def values(page: Page) -> list[str]:
    names = ("learning_rate", "batch_size", "epochs", "rank", "alpha", "dropout")
    return [box(page, name).input_value() for name in names]


def test_without_a_dataset_the_page_explains_and_leads_on(open_page):
    page = open_page("/training/configure")
    expect(page.locator("main")).to_contain_text("dataset")
    page.get_by_role("main").get_by_role(
        "link", name=re.compile("dataset")
    ).first.click()
    expect(page).to_have_url(re.compile("/datasets|datasetId="))


def test_the_first_html_already_holds_an_estimate(page):
    expect(page.locator("#steps")).to_have_text("750")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#review")).to_contain_text("CPU")


@pytest.mark.parametrize(
    ("preset", "expected", "steps"),
    [
        ("Fast", ["0.0001", "8", "1", "8", "16", "0.05"], "125"),
        ("Balanced", ["0.00005", "4", "3", "16", "32", "0.1"], "750"),
        ("Quality", ["0.00003", "2", "5", "32", "64", "0.1"], "2,500"),
    ],
)
def test_a_preset_sets_every_value_at_once(page, preset, expected, steps):
    fill(page, "epochs", "7")
    expect(page.locator(".card.custom")).to_be_visible()
    with page.expect_response(LIVE):
        page.locator(f".card:has-text('{preset}')").click()
    assert values(page) == expected
    expect(page.locator("#steps")).to_have_text(steps)
    expect(page.locator(".card.custom")).to_be_hidden()
    expect(page).to_have_url(re.compile(f"preset_id={preset.lower()}"))


def test_custom_is_shown_as_soon_as_a_value_is_changed_and_leaves_with_it(page):
    box(page, "rank").fill("20")
    expect(page.locator(".card.custom input")).to_be_checked()
    box(page, "rank").fill("16")
    expect(page.locator(".card:has-text('Balanced') input")).to_be_checked()


@pytest.mark.parametrize(
    ("gpu", "hourly", "total", "throughput"),
    [
        ("A100-80GB", "3.50", "23.75", "1,800"),
        ("A100-40GB", "2.80", "22.54", "1,500"),
        ("H100", "4.20", "23.71", "2,200"),
        ("V100-32GB", "2.10", "20.90", "1,200"),
        ("CPU", "0.00", "0.00", "150"),
    ],
)
def test_each_gpu_can_be_chosen_by_a_click_on_its_row(
    page, gpu, hourly, total, throughput
):
    if gpu == "CPU":
        choose(page, "H100")
    choose(page, gpu)
    expect(page.locator("#hourly")).to_have_text(hourly)
    expect(page.locator("#catalogue-total")).to_have_text(total)
    speed = page.locator("#catalogue-throughput")
    expect(speed).to_have_text(f"{throughput} tokens/s")
    warning = page.locator("#review .caution")
    expect(warning).to_have_count(0 if gpu == "CPU" else 1)


def test_the_comparison_marks_the_cheapest_and_the_fastest(page):
    expect(page.locator("#cost-cpu")).to_contain_text("cheapest")
    expect(page.locator("#time-h100")).to_contain_text("fastest")


def test_the_count_slider_gives_the_worked_example_to_the_cent(page):
    choose(page, "A100-80GB")
    slider = page.locator("#gpu_count-slider")
    slider.focus()
    with page.expect_response(LIVE):
        slider.press("ArrowRight")
    expect(box(page, "gpu_count")).to_have_value("2")
    expect(page.locator("#catalogue-total")).to_have_text("25.50")
    expect(page.locator("#catalogue-duration")).to_have_text("3.57 h")
    expect(page.locator("#storage")).to_have_text("0.50")
    expect(page.locator("#hourly")).to_have_text("7.00")
    expect(page.locator("#gpu_count-sentence")).to_contain_text("2 GPUs share")


def test_the_figures_are_the_models_with_their_ranges(page):
    choose(page, "A100-80GB")
    expect(page.locator("#cost-range")).to_contain_text(
        "80\N{NO-BREAK SPACE}% interval"
    )
    low, high = page.locator("#cost-range b").all_text_contents()
    total = float(page.locator("#total").text_content() or "")
    assert float(low) < total < float(high)
    # 1000 pairs take minutes there: hours to two places would say nothing.
    expect(page.locator("#duration")).to_have_text(re.compile(r"^\d+ min \d\d s$"))
    expect(page.locator("#hours-range")).to_contain_text(" min ")
    expect(page.locator("#memory .verdict")).to_contain_text("Fits.")
    expect(page.locator("#memory-a100-80gb")).to_have_text("fits")
    expect(page.locator("#evidence")).to_contain_text("No similar run")
    page.locator(".computed summary").click()
    expect(page.locator(".computed")).to_contain_text("training steps")


def test_a_job_that_does_not_fit_is_changed_by_one_click_and_starts(page, console):
    choose(page, "A100-80GB")
    with page.expect_response(LIVE):
        box(page, "base_model").select_option(LLAMA_70B)
    expect(page.locator("#memory .verdict")).to_contain_text("Does not fit.")
    expect(page.locator("#memory-a100-80gb")).to_have_text("does not fit")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#cost [role=alert]")).to_contain_text("it does not fit")
    page.get_by_role("button", name="Apply this change").click()
    expect(page.locator("#memory .verdict")).to_contain_text("Fits.")
    expect(box(page, "method")).to_have_value("qlora")
    expect(page).to_have_url(re.compile("method=qlora"))
    page.locator(".advanced summary").click()
    expect(page.locator("#plan-words")).to_contain_text("QLoRA")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/training/jobs/*")
    job = console.job(page.url.rpartition("/")[2])
    assert job["plan"]["method"] == job["hyperparameters"]["method"] == "qlora"
    assert job["estimate"]["memory"]["verdict"] == "fits"


def test_who_knows_better_confirms_and_starts_it_all_the_same(page, console):
    choose(page, "A100-80GB")
    with page.expect_response(LIVE):
        box(page, "base_model").select_option(LLAMA_70B)
    page.get_by_label(re.compile("Start anyway")).check()
    page.wait_for_timeout(800)
    expect(page.get_by_label(re.compile("Start anyway"))).to_be_checked()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/training/jobs/*")
    job = console.job(page.url.rpartition("/")[2])
    assert job["estimate"]["memory"]["verdict"] == "does_not_fit"
    console.api(f"/jobs/{job['id']}/cancel", {})


def test_gpus_that_the_batch_cannot_use_are_warned_of(page):
    choose(page, "A100-80GB")
    fill(page, "gpu_count", "8")
    expect(page.locator("#cost")).to_contain_text("A batch of 4 keeps 4 of 8 GPUs busy")


def test_a_processor_counts_as_one(page):
    choose(page, "A100-80GB")
    fill(page, "gpu_count", "8")
    choose(page, "CPU")
    expect(box(page, "gpu_count")).to_have_value("1")
    expect(page.locator("#gpu_count-slider")).to_be_disabled()


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("learning_rate", "0.00006"),
        ("batch_size", "5"),
        ("epochs", "4"),
        ("rank", "20"),
    ],
)
def test_a_slider_and_its_box_go_together(page, name, after):
    slider = page.locator(f"#{name}-slider")
    slider.focus()
    with page.expect_response(LIVE):
        slider.press("ArrowRight")
    expect(box(page, name)).to_have_value(after)
    expect(page).to_have_url(re.compile(f"{name}={after}(&|$)"))
    fill(page, name, slider.get_attribute("min"))
    expect(slider).to_have_value(slider.get_attribute("min") or "")


def test_a_value_beyond_the_slider_pins_it_and_says_so(page):
    fill(page, "batch_size", "48")
    expect(page.locator("#batch_size-slider")).to_have_value("16")
    expect(page.locator("[data-slider=batch_size] .pinned")).to_be_visible()
    expect(page.locator("#start")).to_be_enabled()


def test_alpha_follows_the_rank_until_it_is_set_by_hand(page):
    fill(page, "rank", "24")
    expect(box(page, "alpha")).to_have_value("48")
    page.locator(".advanced summary").click()
    fill(page, "alpha", "10")
    fill(page, "rank", "32")
    expect(box(page, "alpha")).to_have_value("10")


def test_a_burst_of_changes_is_one_request_half_a_second_after_the_last(page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install(time=0)
    page.clock.pause_at(1)
    slider = page.locator("#epochs-slider")
    slider.focus()
    for _ in range(6):
        page.clock.run_for(400)
        slider.press("ArrowRight")
    page.clock.run_for(499)
    page.evaluate("fetch('/healthz')")  # what was asked before it has been heard
    assert [url for url in asked if "/healthz" not in url] == []
    page.clock.run_for(1)
    expect(page.locator("#steps")).to_have_text("2,250")
    page.clock.run_for(2000)
    page.evaluate("fetch('/healthz')")
    assert len([url for url in asked if "/healthz" not in url]) == 1


def test_start_waits_while_the_estimate_is_under_way(page):
    held: list[Route] = []
    page.route(LIVE, lambda route: held.append(route))
    box(page, "epochs").fill("4")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator(".busy")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(page.locator("#start")).to_be_disabled()
    held[0].continue_()
    expect(page.locator("#steps")).to_have_text("1,000")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator(".busy")).to_be_hidden()


def test_a_refused_value_is_said_beside_it_and_nothing_can_be_started(page):
    fill(page, "rank", "3")
    words = "Received 3; must be an integer from 4 to 128."
    expect(page.locator("#rank-error")).to_have_text(words)
    expect(box(page, "rank")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#cost")).to_contain_text("Fix the marked values")
    fill(page, "rank", "8")
    expect(page.locator("#rank-error")).to_be_empty()
    expect(page.locator("#start")).to_be_enabled()


def test_a_failed_refresh_is_told_and_can_be_repeated(page):
    page.route(LIVE, lambda route: route.fulfill(status=500, body="broken"))
    fill(page, "epochs", "4")
    toast = page.locator(".toast.error")
    expect(toast).to_contain_text("The console answered 500")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator(".stale")).to_be_visible()
    page.unroute(LIVE)
    with page.expect_response(LIVE):
        page.get_by_role("button", name="Update estimate").click()
    expect(page.locator("#steps")).to_have_text("1,000")
    expect(page.locator("#start")).to_be_enabled()
    toast.get_by_role("button").click()
    expect(toast).to_have_count(0)


def test_reload_and_back_lose_nothing(page):
    choose(page, "H100")
    fill(page, "epochs", "6")
    fill(page, "learning_rate", "0.0002")
    kept = values(page)
    expect(page).to_have_url(re.compile("learning_rate=0.0002"))
    page.reload()
    assert values(page) == kept
    expect(page.locator("#gpu_type-h100")).to_be_checked()
    expect(page.locator("#steps")).to_have_text("1,500")
    page.get_by_role("link", name="Back").click()
    page.go_back()
    assert values(page) == kept
    expect(page.locator("#start")).to_be_enabled()


def test_start_leads_to_the_live_job_page(open_page, console):
    real = console.upload(40)
    page = open_page(f"/training/configure?datasetId={real}")
    with page.expect_response(LIVE):
        page.get_by_label("Base model").select_option("tests/tiny")
    fill(page, "learning_rate", "0.001")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/training/jobs/*")
    expect(page.locator(".toast.success")).to_contain_text("was queued")
    live = page.locator("#live")
    expect(live).to_have_attribute("data-status", "completed", timeout=60_000)
    job = console.job(page.url.rpartition("/")[2])
    assert (job["quoted_cost"], job["base_model"]) == (0.0, "tests/tiny")
    assert job["current_step"] == job["total_steps"] == 27


def test_pressing_start_twice_makes_one_job(page, console):
    choose(page, "V100-32GB")
    before = console.api("/jobs")["pagination"]["total"]
    page.locator("#start").dblclick()
    page.wait_for_url("**/training/jobs/*")
    assert console.api("/jobs")["pagination"]["total"] == before + 1


def test_start_is_disabled_while_the_job_is_being_made(page):
    held: list[Route] = []
    page.route("**/training/configure", lambda route: held.append(route))
    disabled, words = page.evaluate(PRESS_START)
    assert disabled
    assert "Starting" in words
    held[0].continue_()
    page.wait_for_url("**/training/jobs/*")


def test_by_keyboard_alone(page):
    page.locator("#gpu_type-cpu").focus()
    with page.expect_response(LIVE):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#gpu_type-h100")).to_be_checked()
    expect(page.locator("#hourly")).to_have_text("4.20")
    expect(page.locator("#gpu_type-h100")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#gpu_count-slider")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(box(page, "learning_rate")).to_be_focused()
    with page.expect_response(LIVE):
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("0.0001")
    expect(page.locator("#start")).to_be_enabled()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/training/jobs/*")


def test_without_javascript(open_page, dataset):
    page = open_page(
        f"/training/configure?datasetId={dataset}", java_script_enabled=False
    )
    expect(page.locator("#total")).to_have_text("0.00")
    page.locator(".machine:has-text('A100-80GB')").click()
    box(page, "gpu_count").fill("2")
    page.get_by_role("button", name="Update estimate").click()
    expect(page.locator("#catalogue-total")).to_have_text("25.50")
    page.locator(".card:has-text('Fast')").click()
    page.get_by_role("button", name=re.compile("Use the preset")).click()
    assert values(page) == ["0.0001", "8", "1", "8", "16", "0.05"]
    expect(page.locator("#gpu_type-a100-80gb")).to_be_checked()
    box(page, "rank").fill("3")
    page.get_by_role("button", name="Update estimate").click()
    expect(page.locator("#rank-error")).to_contain_text("Received 3")
    expect(page.locator("#start")).to_be_disabled()
    box(page, "rank").fill("8")
    page.get_by_role("button", name="Update estimate").click()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/training/jobs/*")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(open_page, dataset, scheme):
    page = open_page(
        f"/training/configure?datasetId={dataset}",
        viewport={"width": 375, "height": 800},
        color_scheme=scheme,
        has_touch=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    expect(page.locator("#start")).to_be_in_viewport()
    expect(page.locator("#total")).to_be_in_viewport()
    with page.expect_response(LIVE):
        page.locator(".machine:has-text('H100')").tap()
    expect(page.locator("#hourly")).to_have_text("4.20")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", ground))) < 60) == (scheme == "dark")


def test_the_page_weighs_under_120_kb_and_asks_no_other_host(
    browser, signed_in, console, dataset
):
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    hosts: set[str] = set()
    devtools.on(
        "Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"])
    )
    page.on(
        "request",
        lambda r: hosts.add(r.url.split("/")[2]) if r.url.startswith("http") else None,
    )
    page.goto(
        f"{console.url}/training/configure?datasetId={dataset}",
        wait_until="networkidle",
    )
    context.close()
    assert hosts == {console.url.removeprefix("http://")}
    assert 20_000 < sum(sizes) < 120_000, sum(sizes)
