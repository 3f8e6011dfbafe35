"""The Live page in a real browser, beginning on a machine where nothing was ever set up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.served import served
from tests.workbench.prepared import HOSTILE

pytestmark = pytest.mark.e2e

SLOW = 60_000  # milliseconds that something may take on a busy machine, setting up Postgres included
_STICKING_OUT = """main => [...main.querySelectorAll('[data-testid=stMarkdownContainer]')]
    .filter(element => element.scrollWidth > element.clientWidth + 1).map(element => element.innerText)"""


@pytest.fixture(scope="module")
def empty_app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over an empty QBS_HOME, its data sets those that come with the project."""
    with served(tmp_path_factory.mktemp("h")) as address:
        yield address


def open_page(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/live?{query}")
    expect(page.get_by_text("Ask next")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Seen by other-company")).to_be_visible(timeout=SLOW)


def talk_to(page: Page, address: str, name: str) -> None:
    open_page(page, address, f"tenant=demo&account=Fjord+Line&contact={name}")
    expect(chat(page)).to_contain_text("Nothing has been said yet")


def say(page: Page, words: str) -> None:
    page.get_by_test_id("stChatInputTextArea").fill(words)
    page.keyboard.press("Enter")


def chat(page: Page) -> Locator:
    return page.locator(".st-key-chat")


def transport(page: Page) -> Locator:
    return page.locator(".st-key-transport")


def column(page: Page, name: str) -> Locator:
    """The cell of the row that holds this column's value."""
    return page.locator("tr", has=page.locator("td", has_text=re.compile(f"^{name}$"))).locator("td").last


def test_from_an_empty_machine_a_scripted_customer_plays_and_typed_words_are_read(page: Page, empty_app: str) -> None:
    open_page(page, empty_app, "tenant=demo&account=Brewnomad&contact=kavi%40brewnomad.example+(founder)")
    expect(chat(page)).to_contain_text("Press Play and a recorded conversation unfolds")
    page.get_by_text("Fast", exact=True).click()
    page.get_by_role("button", name="Play").click()
    expect(transport(page)).to_contain_text(re.compile("Message [3-9] of 14"), timeout=SLOW)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Recorded answer of openai/recorded-assistant").first).to_be_visible()
    expect(column(page, "deal_stage")).to_have_text("Discovery")
    version = int(column(page, "version").inner_text())

    say(page, "Last quarter three wrong shipments cost us €42,000. Our CFO Dana Whitfield signs that.")
    expect(page.get_by_text("Fixed rules, no model").first).to_be_visible(timeout=SLOW)
    expect(chat(page).locator(".stMarkdownColoredBackground").first).to_contain_text("Last quarter three wrong")
    expect(page.get_by_text("Off the recording").first).to_be_visible()
    expect(column(page, "version")).not_to_have_text(str(version))
    expect(page.get_by_text("1 in conversation_states").first).to_be_visible()
    expect(page.get_by_text("Seen by other-company")).to_be_visible()
    expect(page.get_by_text("with no condition on the tenant, Postgres answers 0 rows")).to_be_visible()


def test_what_was_said_is_there_again_after_a_reload_and_in_another_tab(page: Page, empty_app: str) -> None:
    talk_to(page, empty_app, "Ida")
    say(page, "Our planners retype every order by hand, two days a week.")
    expect(page.get_by_text("Outcome pending").first).to_be_visible(timeout=SLOW)
    for again in (page, page.context.new_page()):
        open_page(again, empty_app, "tenant=demo&account=Fjord+Line&contact=Ida")
        expect(chat(again)).to_contain_text("Our planners retype every order by hand")
        expect(column(again, "interaction_count")).to_contain_text("1")


def test_the_draft_is_sent_and_answered(page: Page, empty_app: str) -> None:
    talk_to(page, empty_app, "Frode")
    say(page, "Our planners retype every order by hand, two days a week.")
    page.get_by_role("button", name="Send as the seller").click(timeout=SLOW)
    expect(page.get_by_text("Sent as turn 1.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Sent, outcome pending").first).to_be_visible()
    say(page, "On a bad day a customer waits two weeks, and we pay for it.")
    expect(column(page, "interaction_count")).to_contain_text("2", timeout=SLOW)


def test_a_stage_is_moved_and_the_move_is_in_the_history(page: Page, empty_app: str) -> None:
    talk_to(page, empty_app, "Signe")
    say(page, "We retype every order by hand.")
    page.get_by_role("button", name="Discovery").click(timeout=SLOW)
    expect(page.get_by_text("by the presenter")).to_be_visible(timeout=SLOW)
    expect(column(page, "deal_stage")).to_contain_text("Discovery")


def test_keys_step_and_play(page: Page, empty_app: str) -> None:
    open_page(page, empty_app, "tenant=demo&account=Brewnomad&contact=kavi%40brewnomad.example+(founder,+take+7)")
    expect(page.get_by_role("button", name="Step")).to_be_enabled(timeout=SLOW)
    page.keyboard.press("ArrowRight")
    expect(transport(page)).to_contain_text("Message 1 of 14", timeout=SLOW)
    page.keyboard.press("p")
    expect(transport(page)).to_contain_text(re.compile("Message [2-9] of 14"), timeout=SLOW)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=SLOW)


def test_a_restart_begins_another_take_whoever_brought_one_here(page: Page, empty_app: str) -> None:
    take = "tenant=demo&account=Brewnomad&contact=kavi%40brewnomad.example+(founder,+take+{})"
    open_page(page, empty_app, take.format(30))
    page.get_by_role("button", name="Step").click()
    expect(transport(page)).to_contain_text("Message 1 of 14", timeout=SLOW)
    open_page(page, empty_app, take.format(30))
    for number in (31, 32):
        page.get_by_role("button", name="Restart").click()
        expect(chat(page)).to_contain_text("Nothing has been said yet", timeout=SLOW)
        expect(page).to_have_url(re.compile(f"take\\+{number}%29"))
        page.get_by_role("button", name="Step").click()
        expect(transport(page)).to_contain_text("Message 1 of 14", timeout=SLOW)


@pytest.mark.parametrize("query", ["tenant=demo&account=x&contact=%00", "tenant=%20&account=x&contact=y"])
def test_an_address_that_nobody_can_have_is_answered_by_a_sentence(page: Page, empty_app: str, query: str) -> None:
    page.goto(f"{empty_app}/live?{query}")
    expect(page.get_by_test_id("stAlert")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_half_a_sentence_is_not_lost_while_the_customer_plays(page: Page, empty_app: str) -> None:
    open_page(page, empty_app, "tenant=demo&account=Brewnomad&contact=kavi%40brewnomad.example+(founder,+take+8)")
    page.get_by_text("Fast", exact=True).click()
    page.get_by_role("button", name="Play").click()
    page.get_by_test_id("stChatInputTextArea").fill("half a sen")
    expect(transport(page)).to_contain_text(re.compile("Message [3-9] of 14"), timeout=SLOW)
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("half a sen")


def test_a_tab_that_is_closed_while_it_plays_leaves_a_conversation_that_goes_on(page: Page, empty_app: str) -> None:
    query = "tenant=demo&account=Brewnomad&contact=kavi%40brewnomad.example+(founder,+take+9)"
    other = page.context.new_page()
    open_page(other, empty_app, query)
    other.get_by_text("Fast", exact=True).click()
    other.get_by_role("button", name="Play").click()
    expect(transport(other)).to_contain_text(re.compile("Message [2-9] of 14"), timeout=SLOW)
    other.close()
    open_page(page, empty_app, query)
    expect(transport(page)).to_contain_text(re.compile("Message [2-9] of 14"))
    page.get_by_role("button", name="Step").click()
    expect(transport(page)).to_contain_text(re.compile("Message [3-9] of 14"), timeout=SLOW)
    expect(page.get_by_text("Off the recording")).to_have_count(0)


def test_a_customers_markup_stays_text_and_nothing_is_asked_of_another_machine(
    first_visit: Page, empty_app: str
) -> None:
    page, asked = first_visit, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    talk_to(page, empty_app, "Robert")
    say(page, HOSTILE)
    expect(page.get_by_text("Outcome pending").first).to_be_visible(timeout=SLOW)
    body = chat(page).get_by_test_id("stMarkdownContainer").last
    expect(body).to_contain_text("# Not a heading")
    forbidden = "a, img, script, b, em, del, code, h1, h2, h3, ul, ol, table, blockquote, .katex, .stMarkdownBadge"
    expect(body.locator(forbidden)).to_have_count(0)
    expect(page.get_by_test_id("stMain").locator("a[href*=evil], img[src*=evil], script")).to_have_count(0)
    own = (empty_app, empty_app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.mark.parametrize(("width", "scheme"), [(700, "dark"), (1280, "light"), (1920, "dark")])
def test_nothing_sticks_out_sideways(page: Page, empty_app: str, width: int, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    talk_to(page, empty_app, f"Wide-{width}-{scheme}")
    say(page, "Three wrong shipments cost us €42,000. Our CFO Dana Whitfield signs that by end of March.")
    expect(page.get_by_text("What is known so far")).to_be_visible(timeout=SLOW)
    expect(page.locator(".vega-embed canvas, .vega-embed svg").first).to_be_visible(timeout=SLOW)
    left = {round(page.locator(f".st-key-{card}").bounding_box()["x"]) for card in ("chat", "thinking")}  # type: ignore[index]
    assert len(left) == (1 if width < 900 else 2)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    assert main.evaluate(_STICKING_OUT) == []
