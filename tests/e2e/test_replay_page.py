"""The Replay page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.served import served
from tests.workbench.prepared import HOSTILE, add_run, conversations, prepare

pytestmark = pytest.mark.e2e

# The texts of elements that are wider than the card they are in.
_STICKING_OUT = """main => [...main.querySelectorAll('[data-testid=stMarkdownContainer]')]
    .filter(element => element.scrollWidth > element.clientWidth + 1).map(element => element.innerText)"""
SLOW = 30_000  # milliseconds that a first page may take on a busy machine


def open_page(page: Page, address: str, query: str = "dataset=small&conversation=carrier") -> None:
    page.goto(f"{address}/?{query}")
    expect(stepper(page)).to_be_visible(timeout=SLOW)


def stepper(page: Page) -> Locator:
    return page.locator(".st-key-stepper")


def at_message(page: Page, number: int, of: int = 3) -> None:
    expect(stepper(page)).to_contain_text(f"Customer message {number} of {of}", timeout=SLOW)


def current(page: Page) -> Locator:
    return page.locator(".st-key-current")


def test_a_conversation_is_walked_by_button(page: Page, app: str) -> None:
    open_page(page, app)
    at_message(page, 1)
    expect(current(page)).to_contain_text("We re-key every order by hand.")
    page.get_by_role("button", name="Later").click()
    at_message(page, 2)
    expect(current(page)).to_contain_text("I barely sleep.")
    page.get_by_role("button", name="Earlier").click()
    at_message(page, 1)
    expect(page.get_by_role("button", name="Earlier")).to_be_disabled()


def test_a_conversation_is_walked_by_arrow_key(page: Page, app: str) -> None:
    open_page(page, app)
    at_message(page, 1)
    for number in (2, 3):
        page.keyboard.press("ArrowRight")
        at_message(page, number)
    page.keyboard.press("ArrowLeft")
    at_message(page, 2)


def test_arrow_keys_step_after_another_conversation_was_chosen(page: Page, app: str) -> None:
    open_page(page, app)
    page.get_by_role("combobox", name="Conversation").click()
    page.keyboard.type("carrier-again")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("conversation=carrier-again"), timeout=SLOW)
    expect(page.get_by_role("combobox", name="Conversation")).not_to_be_focused()
    page.keyboard.press("ArrowRight")
    at_message(page, 2)


@pytest.mark.parametrize("path", ["?dataset=small", "runs"])
def test_nothing_is_asked_of_another_machine(first_visit: Page, app: str, path: str) -> None:
    page, asked = first_visit, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app}/{path}")
    page.get_by_text("Recorded answers").first.wait_for(timeout=SLOW)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((app, app.replace("http", "ws"), "data:", "blob:"))] == []


def test_an_arrow_key_on_the_slider_is_one_step(page: Page, app: str) -> None:
    open_page(page, app)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    at_message(page, 2)
    expect(current(page)).to_contain_text("I barely sleep.")


def test_a_link_leads_to_its_turn_and_steps_are_in_the_address(page: Page, app: str) -> None:
    open_page(page, app, "dataset=small&conversation=carrier&turn=3")
    at_message(page, 2)
    page.get_by_role("button", name="Later").click()
    at_message(page, 3)
    expect(page).to_have_url(re.compile(r"[?&]turn=5\b"))
    expect(page).to_have_url(re.compile(r"[?&]left=small-rules-.*[?&]right=small-recorded-"))
    page.reload()
    at_message(page, 3)


def test_a_link_to_what_is_not_there_says_so(page: Page, app: str) -> None:
    open_page(page, app, "dataset=small&conversation=gone&left=lost")
    expect(page.get_by_text("The link names a conversation that is not here: “gone”.")).to_be_visible()
    expect(page.get_by_text("The link names a run that is not here: “lost”.")).to_be_visible()


def test_both_runs_are_side_by_side_with_their_source(page: Page, app: str) -> None:
    open_page(page, app, "dataset=small&conversation=carrier&turn=5")
    expect(page.get_by_text("Fixed rules, no model").first).to_be_visible()
    expect(page.get_by_text("Seed question in the model's place: no recording").first).to_be_visible()
    page.get_by_role("button", name="Earlier").click()
    expect(page.get_by_text("Recorded answer of a-model-4").first).to_be_visible()


def test_quotes_are_highlighted_in_the_message(page: Page, app: str) -> None:
    open_page(page, app, "dataset=small&conversation=carrier&turn=3")
    highlighted = current(page).locator(".stMarkdownColoredBackground")
    expect(highlighted).to_have_text(["a wrong order cost us €40,000", "I barely sleep"])


def test_hostile_text_stays_text(first_visit: Page, app: str) -> None:
    page, asked = first_visit, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    open_page(page, app, "dataset=small&conversation=hostile")
    expect(current(page)).to_contain_text("# Not a heading")
    shown = " ".join(current(page).inner_text().replace("\u00a0", " ").split())
    for line in HOSTILE.split("\n"):
        for part in " ".join(line.split()).split("[not a link](https://evil.example)"):
            assert part.strip() in shown
    forbidden = "a, img, script, b, em, del, code, h1, h2, h3, ul, ol, table, blockquote, .katex, .stMarkdownBadge"
    body = current(page).get_by_test_id("stMarkdownContainer").last
    expect(body).to_contain_text("# Not a heading")
    expect(body.locator(forbidden)).to_have_count(0)
    expect(page.get_by_test_id("stMain").locator("a[href*=evil], img[src*=evil], script")).to_have_count(0)
    assert not [url for url in asked if "evil" in url]


def test_every_message_reads_as_it_was_written(page: Page, app: str) -> None:
    """Whatever a customer types, what is read from the screen is what was typed, spacing aside."""
    for conversation in conversations():
        turn = conversation.customer_turns[-1]
        open_page(page, app, f"dataset=small&conversation={conversation.id}&turn={turn.index}")
        expect(current(page)).to_contain_text(f"turn {turn.index}")
        text = current(page).get_by_test_id("stMarkdownContainer").last.inner_text()
        read = re.sub(r"\s*←\s*need\s*", "", text) if conversation.id == "hostile" else text
        assert "".join(read.split()) == "".join(turn.text.split())


def test_another_conversation_is_chosen(page: Page, app: str) -> None:
    open_page(page, app, "dataset=small&conversation=carrier&turn=3")
    page.get_by_role("combobox", name="Conversation").click()
    page.get_by_role("option", name="A *customer* who writes <markup> :smile:").click()
    at_message(page, 1, of=1)
    expect(page).to_have_url(re.compile("conversation=hostile"))


@pytest.mark.parametrize(("width", "scheme"), [(700, "light"), (1280, "light"), (1280, "dark"), (1920, "dark")])
def test_nothing_sticks_out_sideways(page: Page, app: str, width: int, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    open_page(page, app, "dataset=small&conversation=carrier&turn=3")
    expect(page.get_by_text("Against the label")).to_be_visible(timeout=SLOW)
    expect(page.locator(".vega-embed canvas, .vega-embed svg").first).to_be_visible(timeout=SLOW)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    assert main.evaluate(_STICKING_OUT) == []


def test_the_runs_page_leads_into_the_replay_page(page: Page, app: str) -> None:
    page.goto(f"{app}/runs")
    expect(page.get_by_text("3 conversations, 7 turns").first).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Open").first.click()
    expect(stepper(page)).to_be_visible(timeout=SLOW)
    expect(page).to_have_url(re.compile(r"left=small-recorded-"))


def test_a_replay_is_begun_with_a_button_and_outlives_the_tab(page: Page, tmp_path: Path) -> None:
    prepare(tmp_path, [])
    with served(tmp_path) as address:
        open_page(page, address)
        page.get_by_role("button", name="Replay small by rules").click()
        expect(page.get_by_text("small by rules").or_(page.get_by_text("Fixed rules")).first).to_be_visible(
            timeout=SLOW
        )
        another = page.context.new_page()
        page.close()
        open_page(another, address)
        expect(another.get_by_text("Fixed rules, no model").first).to_be_visible(timeout=SLOW)


def test_a_run_that_another_process_finishes_shows_up(page: Page, tmp_path: Path) -> None:
    prepare(tmp_path, ["rules"])
    with served(tmp_path) as address:
        open_page(page, address)
        expect(page.get_by_text("Recorded answer of a-model-4")).to_have_count(0)
        add_run(tmp_path, "recorded")
        expect(page.get_by_text("Recorded answer of a-model-4").first).to_be_visible(timeout=SLOW)
