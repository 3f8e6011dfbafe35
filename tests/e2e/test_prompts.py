"""The Prompts page in a real browser: from a bad turn to the prompt that answers on the Live page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.llm.fake import FakeModel, FakeModelConfig
from tests.e2e.served import served
from tests.evals.tuning.searching import KNOWN_INSTRUCTION, MODEL, RewardsAnInstruction, talks_with_labels
from workbench.background import Background
from workbench.replays import ReplayRequest, carry_out, plan_replay
from workbench.services import Services
from workbench.settings import Secret, Settings

pytestmark = pytest.mark.e2e

SLOW = 60_000  # milliseconds that something may take on a busy machine, setting up Postgres included
TALKS = 8
GATE = """
datasets = ["talks"]
metrics = ["extraction.f1"]
minimum_turns = 1

[limits]
latency_growth = inf
"""
_WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set, and a gate that asks for nothing else."""
    home = tmp_path_factory.mktemp("h")
    talks_with_labels(home / "conversations" / "talks", TALKS)
    (home / "promotion.toml").write_text(GATE, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def app(home: Path, browser: Browser) -> Iterator[str]:
    """The address of an app whose model finds what hurts only where the prompt says so; labels and it have answered."""
    jobs = Background()
    fake = FakeModel(FakeModelConfig(answers=RewardsAnInstruction([KNOWN_INSTRUCTION])))
    jobs.call(fake.start(), 30)
    settings = Settings(home=home, reasoning_model=MODEL, api_base=fake.base_url, api_key=Secret("none"))
    services = Services(settings)
    for variant in ("labels", "llm"):
        jobs.call(carry_out(services, plan_replay(services, ReplayRequest("talks", variant=variant))), 120)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("QBS_REASONING_MODEL", MODEL)
        environment.setenv("QBS_API_BASE", fake.base_url)
        environment.setenv("QBS_API_KEY", "none")
        with served(home) as address:
            yield address
    jobs.call(fake.stop(), 30)
    jobs.close()


def runs(home: Path) -> dict[str, str]:
    """The two runs, by who answered."""
    return {"labels" if "labels" in path.name else "model": path.name for path in sorted((home / "runs").iterdir())}


def editor(page: Page) -> Locator:
    return page.locator(".st-key-editor textarea")


def write(page: Page, text: str) -> None:
    editor(page).fill(text)
    editor(page).press("Control+Enter")


def written(page: Page) -> str:
    """What the editor holds, once it holds something."""
    expect(editor(page)).to_have_value(re.compile("## system"), timeout=SLOW)
    return editor(page).input_value()


def part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click(timeout=SLOW)


def test_a_bad_turn_leads_to_a_better_prompt_that_answers_on_the_live_page(page: Page, app: str, home: Path) -> None:
    found = runs(home)
    page.goto(f"{app}/compare?run={found['labels']}&run={found['model']}&metric=extraction.f1&at=talk-0%3A3")
    page.get_by_role("link", name="Change the prompt").click(timeout=SLOW)
    expect(page).to_have_url(re.compile(r"prompts\?prompt=extraction.*conversation=talk-0&turn=3"), timeout=SLOW)
    expect(editor(page)).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Never break again").click(timeout=SLOW)
    expect(page.get_by_role("button", name="Must not break")).to_be_disabled(timeout=SLOW)

    shipped = written(page)
    write(page, shipped.replace("## system\n", "## system\n{{ nobody }}\n"))
    expect(page.get_by_text("unknown variable").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Try on this turn")).to_be_disabled()
    write(page, shipped.replace("## system\n", f"## system\n{KNOWN_INSTRUCTION}\n"))
    expect(page.get_by_role("button", name="Try on this turn")).to_be_enabled(timeout=SLOW)
    page.get_by_role("button", name="Try on this turn").click()
    expect(page.locator(".st-key-new-answer")).to_contain_text("In plant 0 part 3", timeout=SLOW)
    expect(page.locator(".st-key-old-answer")).not_to_contain_text("In plant 0 part 3")

    save = page.get_by_role("button", name="Save as version")
    expect(save).to_have_count(1, timeout=SLOW)  # while the answer is drawn, the old one is still there
    save.click()
    page.get_by_role("textbox", name="What is new").fill("quotes what hurts")
    page.get_by_role("textbox", name="Also keep it in a set called").fill("quoting")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".st-key-version-facts")).to_contain_text("from v1", timeout=SLOW)
    ref = re.search(r"extraction@[0-9a-f]{8}", page.locator(".st-key-version-facts").inner_text())
    assert ref is not None

    part(page, "Release")
    page.get_by_role("button", name="Make the missing run").click(timeout=SLOW)
    expect(page.locator(".st-key-gate")).to_contain_text("Passed: better", timeout=SLOW)
    page.get_by_role("button", name="Put into production").click(timeout=SLOW)
    expect(page.locator(".st-key-standing-demo")).to_contain_text("quoting", timeout=SLOW)
    expect(page.locator(".st-key-standing-demo")).to_contain_text("the gate let it pass")

    live = page.context.new_page()
    live.goto(f"{app}/live?tenant=demo&account=Fjord+Line&contact=Ida")
    live.get_by_test_id("stChatInputTextArea").fill("Our planners retype every order by hand.", timeout=SLOW)
    live.keyboard.press("Enter")
    expect(live.get_by_text(f"prompt {ref[0]}").first).to_be_visible(timeout=SLOW)

    page.get_by_role("button", name="Roll back").click()
    expect(page.locator(".st-key-standing-demo")).to_contain_text("no release of its own", timeout=SLOW)


def test_the_loop_goes_on_where_the_link_says_and_shows_what_differs(page: Page, app: str) -> None:
    page.goto(f"{app}/prompts?prompt=question&tab=difference&dataset=talks&conversation=talk-1&turn=1")
    expect(page.get_by_text("There is only one version yet")).to_be_visible(timeout=SLOW)
    part(page, "Write and try")
    write(page, written(page).replace("## system\n", "## system\nBe kind.\n"))
    expect(page.get_by_text("not saved")).to_be_visible(timeout=SLOW)
    part(page, "Difference")
    expect(page.get_by_text("Be kind.").first).to_be_visible(timeout=SLOW)
    part(page, "Write and try")
    expect(editor(page)).to_have_value(re.compile("Be kind"), timeout=SLOW)
    page.reload()
    expect(page).to_have_url(re.compile(r"prompt=question.*conversation=talk-1&turn=1.*tab=write"), timeout=SLOW)


@pytest.mark.parametrize(("width", "scheme"), [(700, "light"), (1920, "dark")])
def test_it_fits_the_window_in_light_and_dark(
    page: Page, app: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{app}/prompts?prompt=question&dataset=talks")
    expect(page.get_by_role("heading", name="What the model is sent")).to_be_visible(timeout=SLOW)
    assert not page.evaluate(_WIDER_THAN_THE_PAGE)
