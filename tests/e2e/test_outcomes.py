"""The Outcomes page in a real browser: from a first start to a cell's conversations and a report to take along."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.served import served

pytestmark = pytest.mark.e2e

SLOW = 60_000  # milliseconds that a page may take on a busy machine
_WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with nothing of its own."""
    with served(tmp_path_factory.mktemp("home")) as address:
        yield address


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".st-key-outcomes-headline")).to_be_visible(timeout=SLOW)


def test_at_first_it_shows_a_simulated_world_and_says_so(first_visit: Page, first_start: str) -> None:
    page, asked = first_visit, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{first_start}/outcomes")
    expect(page.get_by_role("alert").filter(has_text="SIMULATED")).to_be_visible()
    expect(page.get_by_text("n = 11,043 resolved of 2,982 conversations")).to_be_visible()
    expect(page).to_have_url(re.compile(r"tenant=simulated"), timeout=SLOW)
    page.get_by_role("radio", name="Over time").click()
    expect(page).to_have_url(re.compile(r"section=trend&period=week"), timeout=SLOW)
    expect(page.get_by_text("dashed: a prompt set was promoted")).to_be_visible(timeout=SLOW)
    own = (first_start, first_start.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


def test_a_link_opens_the_conversations_of_a_cell(page: Page, first_start: str) -> None:
    open_page(page, f"{first_start}/outcomes?tenant=simulated&by=delivery&across=persona&cell=label&cell=manager")
    expect(page.get_by_text(re.compile(r"outcomes, newest first"))).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Export").click()
    page.get_by_text("Newest conversations of Label · Manager").click(timeout=SLOW)
    expect(page.get_by_text("In outcomes-simulated-conversations")).to_be_visible(timeout=SLOW)
    with page.expect_download(timeout=SLOW) as download:
        page.get_by_role("button", name="JSON", exact=True).click(timeout=SLOW)
    rows = json.loads(Path(download.value.path()).read_bytes())
    assert {(row["simulated"], row["delivery"], row["persona"]) for row in rows} == {(True, "label", "manager")}
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Filter").click()
    page.get_by_role("button", name="Chat", exact=True).click()
    expect(page).to_have_url(re.compile(r"channel=chat"), timeout=SLOW)
    expect(page.get_by_text(re.compile(r"only Channel: Chat")).first).to_be_visible(timeout=SLOW)


def test_a_report_is_taken_along_that_opens_without_a_network(
    browser: Browser, page: Page, first_start: str, tmp_path: Path
) -> None:
    open_page(page, f"{first_start}/outcomes?tenant=simulated&section=time&groups=persona")
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=SLOW) as download:
        page.get_by_role("button", name="Report to read or print").click(timeout=SLOW)
    assert download.value.suggested_filename == "outcomes-simulated.html"
    report = tmp_path / "report.html"
    download.value.save_as(report)
    with page.expect_download(timeout=SLOW) as download:
        page.get_by_role("button", name="CSV", exact=True).click(timeout=SLOW)
    assert b"\nsimulated,email_engagement,True," in Path(download.value.path()).read_bytes()

    offline = browser.new_context(offline=True)
    asked: list[str] = []
    page = offline.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    expect(page.get_by_text("No customer said any of this")).to_be_visible()
    for name in ("Over time", "Time to reply", "What goes with a reply"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("svg").first).to_be_visible()
    assert asked == [report.as_uri()]
    offline.close()


@pytest.mark.parametrize(("width", "scheme"), [(700, "dark"), (1280, "light")])
def test_it_fits_the_window_in_light_and_dark(
    page: Page, first_start: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    open_page(page, f"{first_start}/outcomes?tenant=simulated&by=question_type&across=stage")
    expect(page.get_by_role("radio", name="Funnel")).to_be_visible(timeout=SLOW)
    assert not page.evaluate(_WIDER_THAN_THE_PAGE)
