"""The guided demo in a real browser, from an empty machine without key and network to the last step, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.e2e.served import served

pytestmark = pytest.mark.e2e

SLOW = 90_000  # milliseconds that something may take on a busy machine, setting up Postgres and three runs included
NOWHERE = "http://127.0.0.1:9"  # where nobody listens
_WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over an empty QBS_HOME, started with no key, and with a network that leads nowhere."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.endswith("_API_KEY") or name in ("QBS_REASONING_MODEL", "QBS_FAST_MODEL"):
                patch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.setenv(name, NOWHERE)
            patch.setenv(name.lower(), NOWHERE)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        with served(tmp_path_factory.mktemp("d")) as address:
            yield address


@pytest.fixture
def cut_off(browser: Browser, app: str) -> Iterator[tuple[BrowserContext, list[str]]]:
    """A browser that reaches nothing but the app, and what it asked for elsewhere.

    Cut off by a proxy that is not there: requests that pass through the test would make each page load all scripts.
    """
    refused: list[str] = []

    def notice(request: Request) -> None:
        if not request.url.startswith((app, "data:", "blob:")):
            refused.append(request.url)

    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, proxy={"server": NOWHERE, "bypass": app.removeprefix("http://")}
    )
    context.on("request", notice)
    yield context, refused
    context.close()


def test_the_demo_leads_from_a_message_to_the_reply_rate_and_back_to_its_start(
    cut_off: tuple[BrowserContext, list[str]], app: str, tmp_path: Path
) -> None:
    context, refused = cut_off
    page = context.new_page()
    page.goto(f"{app}/demo")
    expect(page.get_by_text("0 of 11 steps")).to_be_visible(timeout=SLOW)

    page.locator(".st-key-demo-step-live").get_by_role("link", name="Open Live").click()
    said(page, 1, "dimensions after 9 messages")
    step_and_see(page, "604282c6")
    onwards(page, 2, "the recorded answers beat the rules most")
    expect(page.locator(".st-key-current")).to_be_visible(timeout=SLOW)
    onwards(page, 3, "measures of quality")
    expect(page.get_by_role("heading", name="Scoreboard")).to_be_visible(timeout=SLOW)
    onwards(page, 4, "loses most")
    expect(page.locator(".st-key-open-turn")).to_be_visible(timeout=SLOW)
    onwards(page, 5, re.compile(r"[\d,]+ words more and [\d,]+ less"))
    expect(page.get_by_text("question v1 → question v2")).to_be_visible(timeout=SLOW)
    onwards(page, 6, "The calmer prompts against the shipped ones")
    expect(page.get_by_role("heading", name="Scoreboard")).to_be_visible(timeout=SLOW)
    onwards(page, 7, "The gate says")
    release(page)
    onwards(page, 8, re.compile("since release 1.*question@aac23103"))
    step_and_see(page, "aac23103")
    for number, tells in ((9, "answered most often"), (10, "confidence is off by"), (11, "against")):
        onwards(page, number, tells)
        expect(strip(page)).to_contain_text("simulated")

    strip(page).get_by_role("link", name="All steps").click()
    expect(page.get_by_text("11 of 11 steps")).to_be_visible(timeout=SLOW)
    report_opens_alone(page, tmp_path / "demo.html")
    assert not page.evaluate(_WIDER_THAN_THE_PAGE)
    back_to_the_start(page, app)
    assert refused == []


def strip(page: Page):  # type: ignore[no-untyped-def]
    return page.locator(".st-key-demo-strip")


def said(page: Page, number: int, tells: str | re.Pattern[str]) -> None:
    expect(strip(page)).to_contain_text(f"Demo {number} of 11", timeout=SLOW)
    expect(strip(page)).to_contain_text(tells, timeout=SLOW)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def onwards(page: Page, number: int, tells: str | re.Pattern[str]) -> None:
    following = strip(page).get_by_role("link", name="Next:")
    before = following.inner_text()
    following.click()
    said(page, number, tells)
    expect(following.filter(has_text=before)).to_have_count(0, timeout=SLOW)


def step_and_see(page: Page, prompt: str) -> None:
    """The customer says one thing, and this version of the prompt has its recorded answer."""
    page.get_by_role("button", name="Step").click(timeout=SLOW)
    expect(page.get_by_text("Recorded answer of openai/recorded-assistant").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile(f"question@{prompt}")).last).to_be_visible(timeout=SLOW)


def release(page: Page) -> None:
    """Put the candidate into production, by whichever way the gate leaves open."""
    promote = page.locator(".st-key-promote button").first
    expect(promote).to_be_visible(timeout=SLOW)
    if promote.is_enabled():
        promote.click()
    else:
        page.get_by_role("button", name="Override the gate").click()
        page.get_by_label("Why it is to be there nevertheless").fill("to show what happens")
        page.keyboard.press("Enter")
        page.locator(".st-key-override button").click(timeout=SLOW)
    expect(page.locator(".st-key-standing-demo")).to_contain_text("calmer", timeout=SLOW)


def report_opens_alone(page: Page, file: Path) -> None:
    with page.expect_download(timeout=SLOW) as download:
        page.get_by_role("button", name="Report").click()
    download.value.save_as(file)
    asked: list[str] = []
    browser = page.context.browser
    assert browser is not None
    alone = browser.new_context(offline=True)
    reading = alone.new_page()
    reading.on("request", lambda request: asked.append(request.url))
    reading.goto(file.as_uri())
    expect(reading.locator("section h2")).to_have_count(12)
    expect(reading.locator(".badge")).to_have_count(3)
    expect(reading.locator("svg.forest").first).to_be_visible()
    assert asked == [file.as_uri()]
    alone.close()


def back_to_the_start(page: Page, app: str) -> None:
    """A reset empties the Live page of another tab too."""
    other = page.context.new_page()
    other.goto(f"{app}/live")
    expect(other.locator(".st-key-transport")).to_contain_text("Message 1 of 14", timeout=SLOW)
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_text(re.compile(r"[1-9]\d* rows"))).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Erase and begin again").click()
    expect(page.get_by_text("the demo is at its start")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("0 of 11 steps")).to_be_visible(timeout=SLOW)
    other.get_by_role("button", name="Restart").click()
    expect(other.locator(".st-key-chat")).to_contain_text("Nothing has been said yet", timeout=SLOW)
    expect(other).to_have_url(re.compile(r"%28founder%29"))
    other.get_by_role("button", name="Step").click()
    expect(other.get_by_text("question@604282c6").last).to_be_visible(timeout=SLOW)
