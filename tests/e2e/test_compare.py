"""The Compare page in a real browser: from nothing to a report, and links, keys and colours on the way."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.e2e.served import served

pytestmark = pytest.mark.e2e

ATTEMPTS = 4
SLOW = 60_000  # milliseconds that a page or a replay may take on a busy machine
_WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def compared(prepared: tuple[str, str, str]) -> str:
    """The address of the two finished runs of a small data set."""
    address, first, second = prepared
    return f"{address}/compare?run={first}&run={second}"


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Down to the turns")).to_be_visible(timeout=SLOW)


def test_an_evaluation_outlives_its_tab_and_ends_in_a_report(browser: Browser, page: Page, tmp_path: Path) -> None:
    with served(tmp_path) as address:
        page.goto(f"{address}/compare")
        page.get_by_role("button", name="Replay b2b_discovery by rules").click(timeout=SLOW)
        expect(page.get_by_text(re.compile("b2b_discovery by rules|A second run is needed")).first).to_be_visible(
            timeout=SLOW
        )
        tab, page = page, page.context.new_page()
        tab.close()
        page.goto(f"{address}/compare")
        page.get_by_role("button", name="Replay b2b_discovery by recorded answers").click(timeout=SLOW)
        expect(page.get_by_text("Recorded answers against Rules")).to_be_visible(timeout=SLOW)

        expect(page.locator(".st-key-open-turn")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Next", exact=True).click()
        expect(page).to_have_url(re.compile(r"[?&]order=worse&at=[\w.-]+%3A\d+"), timeout=SLOW)
        expect(page.get_by_text("Against the label")).to_be_visible(timeout=SLOW)

        report = tmp_path / "report.html"
        _exported(page, "Report to read or print").save_as(report)
        _is_readable(browser, report)


def _exported(page: Page, name: str, *, exact: bool = False) -> Download:
    """What a button under Export gives; the menu stays open once it is."""
    button = page.get_by_role("button", name=name, exact=exact)
    for _ in range(ATTEMPTS):  # a click while the whole page is drawn anew opens a menu that is on its way out
        if not button.is_visible():
            page.get_by_role("button", name="Export").click()
        with suppress(AssertionError):
            expect(button).to_be_visible(timeout=SLOW / ATTEMPTS)
            break
    with page.expect_download(timeout=SLOW) as download:
        button.click(timeout=SLOW)
    return download.value


def _is_readable(browser: Browser, report: Path) -> None:
    """It opens without any request beyond the file itself."""
    asked: list[str] = []
    page = browser.new_context(offline=True).new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    expect(page.get_by_role("heading", name="Scoreboard")).to_be_visible()
    expect(page.get_by_role("heading", name="Turns that got worse")).to_be_visible()
    expect(page.locator("svg").first).to_be_visible()
    assert asked == [report.as_uri()]


def test_a_link_opens_the_turn_and_leads_on_to_the_replay_page(page: Page, compared: str) -> None:
    open_page(page, f"{compared}&metric=known.f1&at=carrier%3A3")
    expect(page.get_by_text("I barely sleep.").last).to_be_visible(timeout=SLOW)
    page.locator(".st-key-open-turn").get_by_role("link", name="Replay").click()
    expect(page).to_have_url(re.compile(r"conversation=carrier&left=small-rules-.*turn=3"), timeout=SLOW)
    expect(page.locator(".st-key-current")).to_contain_text("I barely sleep.", timeout=SLOW)


def test_figures_come_as_files_for_other_programs(page: Page, compared: str) -> None:
    open_page(page, compared)
    for name, begins in (("CSV", b"first,second,view,metric"), ("Parquet", b"PAR1"), ("JSON", b"{")):
        assert Path(_exported(page, name, exact=True).path()).read_bytes().startswith(begins)


@pytest.mark.parametrize(("width", "scheme"), [(700, "light"), (1280, "dark"), (1920, "light")])
def test_it_fits_the_window_in_light_and_dark(
    page: Page, compared: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    open_page(page, compared)
    assert not page.evaluate(_WIDER_THAN_THE_PAGE)
    expect(page.locator(".qbs-scores table")).to_be_visible(timeout=SLOW)


def test_nothing_is_asked_of_another_machine(first_visit: Page, compared: str) -> None:
    page, asked = first_visit, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, compared)
    page.wait_for_load_state("networkidle")
    own = compared.partition("/compare")[0]
    assert [url for url in asked if not url.startswith((own, own.replace("http", "ws"), "data:", "blob:"))] == []
