"""A served app over a prepared QBS_HOME, and a browser to look at it with."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.e2e.served import CHROMIUM, launched, served
from tests.workbench.prepared import prepare

_WINDOW = ViewportSize(width=1280, height=900)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Without a browser the tests are skipped, but never unnoticed where everything has to be tested.

    Closed after the last test of this package: as long as it is open, no other test on this thread can run a loop.
    """
    if CHROMIUM is None:
        reason = "NOT TESTED IN A BROWSER: no chromium is installed (apt-get install chromium)"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="package")
def visited(browser: Browser) -> Iterator[BrowserContext]:
    """A window that keeps the scripts it has loaded: to load them anew is half of what opening a page takes."""
    context = browser.new_context(viewport=_WINDOW)
    yield context
    context.close()


@pytest.fixture
def page(visited: BrowserContext) -> Iterator[Page]:
    """A tab of its own. No tab outlives the test."""
    yield visited.new_page()
    for tab in visited.pages:
        tab.close()


@pytest.fixture
def first_visit(browser: Browser) -> Iterator[Page]:
    """A page of a window that has loaded nothing yet: whatever it needs, it asks for."""
    context = browser.new_context(viewport=_WINDOW)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="package")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The address of an app over the prepared conversations, and its two runs, by rules and by recorded answers."""
    home = tmp_path_factory.mktemp("home")
    first, second = prepare(home)
    with served(home) as address:
        yield address, first, second


@pytest.fixture(scope="package")
def app(prepared: tuple[str, str, str]) -> str:
    """The address of an app over the prepared conversations and runs."""
    return prepared[0]
