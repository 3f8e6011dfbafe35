"""The Calibration and What if pages in a real browser: a fit in the background, a link, keys, and narrow windows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.served import served
from tests.workbench.outcomes_world import TENANT, load_world

pytestmark = pytest.mark.e2e

SLOW = 60_000  # milliseconds that a page or a fit may take on a busy machine
_WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over the outcomes of a small simulated world."""
    home = tmp_path_factory.mktemp("home")
    load_world(home)
    with served(home) as address:
        yield address


def test_a_confidence_is_read_fitted_and_asked_about_otherwise(page: Page, learned: str) -> None:
    page.goto(f"{learned}/calibration?tenant={TENANT}")
    expect(page.get_by_text("No calibration was fitted to these outcomes yet")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(page.get_by_text(re.compile("A correction is offered|Nothing is corrected"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Fit again")).to_be_enabled(timeout=SLOW)

    page.get_by_role("link", name="What if").click()
    expect(page.get_by_text(re.compile(r"would have answered, where [\d.]+ % did"))).to_be_visible(timeout=SLOW)
    expect(page).to_have_url(re.compile(rf"what-if\?tenant={TENANT}&policy=always%3Aimpact"))
    page.set_viewport_size({"width": 700, "height": 900})
    expect(page.get_by_text("Overlap", exact=True)).to_be_visible(timeout=SLOW)
    assert not page.evaluate(_WIDER_THAN_THE_PAGE)


def test_a_refusal_is_a_link_away(page: Page, learned: str) -> None:
    page.goto(f"{learned}/what-if?tenant={TENANT}&policy=always%3Aimpact%2Bbudget")
    expect(page.get_by_role("heading", name="The outcomes cannot tell")).to_be_visible(timeout=SLOW)
