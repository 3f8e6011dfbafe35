"""What the Outcomes page says and draws, from counts and estimates."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from engine.model.outcome import OutcomeType
from evals.learning.association import Association, Effect
from evals.learning.facts import Cell, Waits, Week
from evals.learning.facts.values import Coded, Facts
from evals.learning.funnel import funnel
from evals.learning.pooling import pooled
from evals.learning.rates import rate_of
from evals.learning.survival import time_to_reply
from evals.learning.trend import Promotion, trend
from workbench.presenters import (
    outcomes_association,
    outcomes_export,
    outcomes_funnel,
    outcomes_rates,
    outcomes_svg,
    outcomes_trend,
    outcomes_waiting,
)
from workbench.presenters.outcomes_export import About
from workbench.presenters.outcomes_headline import counts, headline
from workbench.presenters.outcomes_listed import COLUMNS, MOST_LISTED, listed
from workbench.presenters.outcomes_report import OutcomesReport, render
from workbench.presenters.outcomes_waiting import WaitingLine
from workbench.presenters.outcomes_words import FEW, SPLITS, WATCHED, cell_name, part_words, shown
from workbench.presenters.table_files import Format

REPLIES = WATCHED[OutcomeType.EMAIL_ENGAGEMENT]
HOSTILE = "<script>alert(1)</script>"
WHOLE = Cell(
    (), 220, 150, 90, late=10, pending=20, early=8, superseded=12, not_sent=30, sent=140, unsure_sent=50,
    advanced=40, progress_known=80, answered_advanced=35, answered_progress_known=60, conversations=100, squares=60.0,
)  # fmt: skip
LARGE, SMALL, EMPTY = (
    Cell(("impact", "manager"), 400, 400, 200),
    Cell(("solution", "ic"), 10, 8, 8),
    Cell(("impact", None), 3, 0, 0, pending=3),
)
BY = ("question_type", "persona")


def pulled() -> list[outcomes_rates.RateRow]:
    return outcomes_rates.rows(BY, pooled([LARGE, SMALL, EMPTY]))


def values(spec: Any) -> list[dict[str, Any]]:
    """Everything that a chart draws, its layers' own values included."""
    own = list(spec.get("data", {}).get("values", ()))
    return own + [value for layer in spec.get("layer", ()) for value in values(layer)]


def test_every_outcome_is_counted_once_by_where_it_stands() -> None:
    found = counts(WHOLE)
    assert found == {
        "positive": 90, "negative": 50, "late": 10, "pending": 20, "early": 8, "superseded": 12, "not_sent": 30,
    }  # fmt: skip
    assert sum(found.values()) == WHOLE.outcomes


def test_the_headline_says_rate_interval_and_what_it_rests_on() -> None:
    found = headline(rate_of(WHOLE), REPLIES)
    assert found.rate == "60.0 %"
    assert re.fullmatch(r"95 % interval \d\d\.\d to \d\d\.\d %", found.interval)
    assert found.rests_on == "n = 150 resolved of 100 conversations"
    assert [line.status for line in found.lines if line.in_rate] == ["positive", "negative", "late"]


def test_nothing_resolved_has_no_rate_and_not_nought() -> None:
    found = headline(rate_of(replace(WHOLE, resolved=0, positive=0, late=0)), REPLIES)
    assert (found.rate, found.interval) == ("—", "nothing is resolved yet")


@pytest.mark.parametrize(
    ("dimension", "word", "said"),
    [
        ("persona", "c_suite", "Executive"),
        ("persona", None, "Not known"),
        ("prompt", "question@5e1f0a3c", "question@5e1f0a3c"),
        ("analyzer", "rules", "Rules"),
        ("status", "positive", "positive"),
    ],
)
def test_words_are_those_that_people_read(dimension: str, word: str | None, said: str) -> None:
    assert shown(dimension, word) == said


def test_a_part_is_named_in_words() -> None:
    assert part_words([("persona", ["manager", None])], "2026-03-01", None) == (
        "Persona: Manager or Not known; recommended from 2026-03-01"
    )
    assert part_words([], None, None) == ""
    assert cell_name((), ()) == "All"


def test_small_cells_are_marked_and_pulled_toward_the_whole() -> None:
    by_key = {row.key: row for row in pulled()}
    tiny = by_key["solution", "ic"]
    assert tiny.few
    assert tiny.found.raw.n < FEW
    assert tiny.found.value < tiny.found.raw.value == 1.0  # type: ignore[operator]
    assert not by_key["impact", "manager"].few
    assert pulled()[-1].key == ("impact", None), "what has nothing resolved comes last"


def test_the_table_of_rates_shows_both_rates_and_every_status() -> None:
    row = next(row for row in outcomes_rates.table(BY, pulled(), REPLIES) if row["Persona"] == "Individual contributor")
    assert (row["Question type"], row["n"], row["Reply rate"], row["Size"]) == ("Solution", 8, "100.0 %", "◌ small")
    assert row["Pulled"] != row["Reply rate"]
    assert {"Positive", "Negative", "Late", "Pending", "Early", "Superseded", "Not sent"} <= set(row)


def test_the_chart_of_rates_draws_both_with_different_shapes() -> None:
    spec = outcomes_rates.chart(pulled(), REPLIES, "Reply rate")
    drawn = values(spec)
    assert {value["Rate"] for value in drawn} == {outcomes_rates.COUNTED, outcomes_rates.PULLED}
    assert spec["layer"][1]["encoding"]["shape"]["scale"]["range"] == ["circle", "diamond"]
    assert {value["Cell"] for value in drawn} == {"Impact · Manager", "Solution · Individual contributor (small)"}
    assert "Impact · Manager: reply rate 50.0 %" in outcomes_rates.described(pulled(), REPLIES)
    json.dumps(spec, allow_nan=False)


def test_of_very_many_cells_the_largest_are_drawn_and_the_rest_is_said() -> None:
    cells = [Cell((f"prompt@{number}",), 100 + number, 100 + number, 50) for number in range(40)]
    rows = outcomes_rates.rows(("prompt",), pooled(cells))
    assert outcomes_rates.left_out(rows) == 40 - outcomes_rates.MOST_DRAWN
    drawn = {value["Cell"] for value in values(outcomes_rates.chart(rows, REPLIES, ""))}
    assert "prompt@39" in drawn
    assert "prompt@0" not in drawn


def points() -> tuple[Any, tuple[Promotion, ...]]:
    weeks = [Week(date(2026, 1, 5), Cell((), 60, 50, 20)), Week(date(2026, 1, 12), Cell((), 10, 0, 0, pending=10))]
    marks = (Promotion(datetime(2026, 1, 7, tzinfo=UTC), "question@b7d24e96"),)
    return trend(weeks, marks), marks


def test_the_trend_leaves_out_periods_without_a_rate_and_draws_promotions_dashed() -> None:
    found, marks = points()
    spec = outcomes_trend.chart(found, marks, REPLIES, "Reply rate by week")
    assert {value["From"] for value in values(spec) if "From" in value} == {"2026-01-05"}
    rule = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "rule")
    assert rule["mark"]["strokeDash"]
    assert rule["data"]["values"][0]["Promoted"] == "question@b7d24e96"
    assert [row["Promoted"] for row in outcomes_trend.table(found, REPLIES)] == ["question@b7d24e96 on 07 Jan", ""]
    assert not any(layer["mark"]["type"] == "rule" for layer in outcomes_trend.chart(found, (), REPLIES, "")["layer"])


def test_a_promotion_before_the_first_outcome_is_not_drawn() -> None:
    found, _ = points()
    early = (Promotion(datetime(2025, 1, 7, tzinfo=UTC), "older"),)
    assert all(value.get("Promoted") != "older" for value in values(outcomes_trend.chart(found, early, REPLIES, "")))


def line(name: str = "All", scale: int = 1) -> WaitingLine:
    waits = Waits(np.array([1_800, 7_200, 86_400]), np.array([10, 5, 0]) * scale, np.array([0, 2, 20]) * scale)
    return WaitingLine(name, time_to_reply(waits), waits)


def test_those_who_may_still_reply_are_counted_as_waiting_and_not_as_silent() -> None:
    (row,) = outcomes_waiting.at_risk([line()], REPLIES)
    assert (row["0 h"], row["1 h"], row["2 h"], row["4 h"], row["24 h"]) == (37, 27, 27, 20, 20)
    (told,) = outcomes_waiting.table([line()], REPLIES)
    assert (told["Questions"], told["Replied"], told["Censored"], told["Half within"]) == (37, 15, 22, "not reached")


def test_lines_differ_by_dash_and_not_by_colour_alone() -> None:
    spec = outcomes_waiting.chart([line("Manager"), line("Executive", 2)], REPLIES, "")
    dashes = spec["layer"][1]["encoding"]["strokeDash"]["scale"]
    assert dashes["domain"] == ["Manager", "Executive"]
    assert dashes["range"][0] != dashes["range"][1]
    assert max(value["hours"] for value in values(spec)) == 24
    json.dumps(spec, allow_nan=False)


def test_a_curve_of_no_reply_at_all_is_drawn_flat() -> None:
    waits = Waits(np.array([3_600]), np.array([0]), np.array([4]))
    found = outcomes_waiting.points(WaitingLine("All", time_to_reply(waits), waits))
    assert {(point["hours"], point["share"]) for point in found} == {(0.0, 0.0), (1.0, 0.0)}


def test_the_funnel_keeps_what_is_unknown_apart() -> None:
    rows = outcomes_funnel.table(funnel(WHOLE))
    assert [(row["Step"], row["Came so far"], row["Did not"], row["Not known"]) for row in rows] == [
        ("Recommended", 220, 0, 0), ("Sent", 140, 30, 50), ("Replied", 90, 60, 40), ("Stage advanced", 35, 25, 30),
    ]  # fmt: skip
    drawn = values(outcomes_funnel.chart(funnel(WHOLE), ""))
    assert sum(value["Outcomes"] for value in drawn if value["Step"] == "Replied") == 190


def effects() -> Association:
    apart = Effect("delivery", "mirror", "label", 40, 2.0, 1.2, 3.1, 0.12, 0.02, 0.2)
    unclear = Effect("target", "pain", "need", 30, 0.9, 0.5, 1.6, -0.02, -0.1, 0.06)
    return Association((apart, unclear), ("persona", "stage"), 300, 80, (("persona", "ic"),))


def test_an_effect_whose_interval_leaves_out_no_difference_is_filled() -> None:
    first, second = outcomes_association.table(effects())
    assert (first["Apart"], second["Apart"]) == ("●", "○")
    assert (first["Choice"], first["This"], first["Against"], first["Odds ratio"]) == (
        "Delivery", "Mirror", "Label", "2.00",
    )  # fmt: skip
    assert second["Difference"] == "\N{MINUS SIGN}2.0 pts"
    assert "accounting for persona and stage" in outcomes_association.rests_on(effects())
    assert "Left out" in outcomes_association.rests_on(effects())


@pytest.mark.parametrize(("scale", "none"), [("odds", 1), ("points", 0)])
def test_the_forest_has_a_line_of_no_difference(scale: outcomes_association.Scale, none: int) -> None:
    spec = outcomes_association.chart(effects(), scale, "")
    assert {"none": none} in values(spec)
    json.dumps(spec, allow_nan=False)


def facts(count: int, origin: str = "postgres") -> Facts:
    words = {name: Coded.of([f"{name}"] * count) for name in COLUMNS if name not in ("recommended_at", "happened_at")}
    words |= {"status": Coded.of(["positive"] * count), "origin": Coded.of([origin] * count)}
    asked = np.datetime64("2026-01-05T10:00:00", "us") + np.arange(count).astype("timedelta64[m]")
    came = np.full(count, np.datetime64("NaT", "us"))
    columns = {**words, "recommended_at": asked, "happened_at": came}
    return Facts("acme", OutcomeType.EMAIL_ENGAGEMENT, datetime(2026, 2, 1, tzinfo=UTC), columns)


def test_the_newest_outcomes_are_listed_first() -> None:
    found = listed(facts(MOST_LISTED + 5))
    assert len(found) == MOST_LISTED
    first, second = found[0].shown["Recommended (UTC)"], found[1].shown["Recommended (UTC)"]
    assert first > second
    assert found[0].shown["Came (UTC)"] == "—"


@pytest.mark.parametrize(("origin", "there"), [("postgres", True), ("import", False), ("simulated", False)])
def test_only_what_is_in_postgres_can_be_opened(origin: str, there: bool) -> None:
    assert listed(facts(1, origin))[0].in_postgres is there


ABOUT = About("acme", "email_engagement", True, "Persona: Manager", "2026-02-01T00:00:00+00:00")


@pytest.mark.parametrize("format_", ["CSV", "JSON", "Parquet"])
def test_every_row_of_every_file_says_whose_it_is_and_that_it_is_simulated(format_: Format) -> None:
    found = pooled([LARGE, SMALL, EMPTY])
    content = outcomes_export.file(ABOUT, outcomes_export.cells_rows(BY, found), format_)
    rows: list[dict[str, Any]]
    if format_ == "CSV":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    elif format_ == "JSON":
        rows = json.loads(content)
    else:
        rows = parquet.read_table(io.BytesIO(content)).to_pylist()
    assert len(rows) == 3
    assert {str(row["simulated"]) for row in rows} == {"True"}
    assert {row["tenant"] for row in rows} == {"acme"}
    assert float(rows[0]["rate"]) == 0.5


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_word_of_a_file_is_taken_for_a_formula(word: str) -> None:
    content = outcomes_export.file(ABOUT, [{"prompt": word, "rate": -0.5}], "CSV").decode()
    row = next(csv.DictReader(io.StringIO(content)))
    assert (row["prompt"], row["rate"]) == (f"'{word}", "-0.5")


def test_a_figure_that_nobody_knows_is_a_missing_number_and_no_text() -> None:
    content = outcomes_export.file(ABOUT, [{"rate": None, "low": None}], "Parquet")
    table = parquet.read_table(io.BytesIO(content))
    assert str(table.schema.field("rate").type) == "double"
    assert table.to_pylist()[0]["rate"] is None


def report(*, simulated: bool = True, tenant: str = HOSTILE) -> str:
    found, marks = points()
    prompts = [Cell((HOSTILE,), 80, 80, 20), Cell(("question@1",), 9, 9, 2)]
    return render(
        OutcomesReport(
            tenant=tenant,
            simulated=simulated,
            watched=REPLIES,
            part=HOSTILE,
            known_at=datetime(2026, 2, 1, tzinfo=UTC),
            made_at=datetime(2026, 2, 2, tzinfo=UTC),
            rate=rate_of(WHOLE),
            by=("prompt",),
            rows=outcomes_rates.rows(("prompt",), pooled(prompts)),
            points=found,
            promotions=marks,
            waiting=[line("Manager"), line(HOSTILE, 2)],
            steps=funnel(WHOLE),
            association=effects(),
        )
    )


def test_the_report_opens_without_a_network_and_holds_no_script() -> None:
    page = report(simulated=False)
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=|https?://|url\(", page)
    assert "default-src 'none'" in page
    assert page.count("<svg") >= 4


def test_what_is_simulated_says_so_at_the_top_and_at_every_section() -> None:
    page = report()
    assert page.index("No customer said any of this") < page.index("<h1>")
    assert page.count('<span class="mark">simulated</span>') == page.count("<section>") == 5
    assert "simulated" not in re.sub(r"<style>.*?</style>", "", report(simulated=False, tenant="acme"), flags=re.DOTALL)


def test_the_report_carries_the_warning_that_it_is_association() -> None:
    assert "association, not effect" in report()


def test_a_report_of_next_to_nothing_is_still_a_report() -> None:
    empty = Cell((), 1, 0, 0, pending=1)
    page = render(
        OutcomesReport(
            "acme",
            False,
            REPLIES,
            "",
            None,
            datetime(2026, 2, 2, tzinfo=UTC),
            rate_of(empty),
            ("persona",),
            [],
            (),
            (),
            [],
            funnel(empty),
            "too few to tell",
        )
    )
    assert "nothing is resolved yet" in page
    assert "too few to tell" in page


def test_pictures_keep_their_marks_inside() -> None:
    picture = outcomes_svg.intervals(
        [outcomes_svg.DotLine("one", (outcomes_svg.Dot(0.4, 0.1, 0.9), outcomes_svg.Dot(2, 1, 3, "diamond")), "")], "x",
        none=1.0, log=True,
    )  # fmt: skip
    places = [float(x) for x in re.findall(r'(?:x1|cx)="([\d.-]+)"', picture)]
    assert all(300 <= place <= 870 for place in places)
    assert outcomes_svg.curves([], "x", []) == ""


def test_every_dimension_of_the_page_can_be_filtered_and_grouped() -> None:
    from evals.learning.facts.filters import check_dimensions

    check_dimensions(tuple(SPLITS))
