"""A served app over a prepared QBS_HOME, and a browser to look at it with."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.served import CHROMIUM, launched, served
from tests.workbench.prepared import prepare


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


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over the prepared conversations and runs."""
    home = tmp_path_factory.mktemp("home")
    prepare(home)
    with served(home) as address:
        yield address
