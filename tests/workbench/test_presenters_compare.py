"""What the Compare page says: turns that moved, the scoreboard, prompts word by word, costs, files, the report."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser

import pytest

from engine.model.conversation import Channel, Persona
from engine.prompts import ANALYSIS_PROMPTS, PromptLibrary
from evals.compare import Comparison, compare, turn_changes
from evals.inference.verdict import Verdict
from evals.lift import lift
from evals.metrics import METRICS, find_metric
from evals.metrics.judged import View
from evals.records import Variant
from evals.repeats import Variation
from evals.report import render
from evals.scoring import Scores, score
from evals.slices import Slice
from evals.turn_changes import TurnChange
from tests.evals.report.rows import BETTER, OPEN, TIED, WORSE, comparison, row
from tests.evals.runs_of import by_labels, by_model, by_rules, shipped, talks
from tests.workbench.prepared import conversation, run_row, side
from workbench.presenters import compare_costs, compare_export, compare_forest, compare_prompts, compare_scoreboard
from workbench.presenters import compare_report as reports
from workbench.presenters import compare_turns as turns
from workbench.presenters.compare_prompts import AskedSide

F1 = find_metric("extraction.f1")
TALKS = turns.Talks.of(shipped())


def scores(records: object, name: str, view: View = View.MODEL) -> Scores:
    return score(records, shipped().labels, talks(), view=view, name=name)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sides() -> tuple[Scores, Scores]:
    """The rules, and the labels as if somebody had answered with them."""
    return scores(by_rules(), "rules"), scores(by_labels(), "labels")


@pytest.fixture(scope="module")
def found(sides: tuple[Scores, Scores]) -> Comparison:
    return compare(*sides, resamples=500)


# Turns


def test_the_worst_turns_come_first_when_asked_for_and_the_best_otherwise(sides):
    changes = turn_changes(sides[1], sides[0], F1)
    worse = turns.ordered(changes, "worse")
    assert [change.gain for change in worse] == sorted(change.gain for change in worse)
    assert all(change.gain < 0 for change in worse)
    assert all(change.gain > 0 for change in turns.ordered(changes, "better"))
    assert turns.moves(changes).worse == len(worse)


@pytest.mark.parametrize(("page", "shown"), [(1, 1), (2, 2), (99, 2), (0, 1)])
def test_turns_are_paged_and_a_page_that_is_not_there_is_the_nearest(page, shown):
    changes = [TurnChange("deflector", 1, -0.1, 1.0, 0.0)] * (turns.ON_A_PAGE + 1)
    found = turns.turn_list(TALKS, F1, changes, page)
    assert (found.page, found.pages, len(found.keys)) == (shown, 2, turns.ON_A_PAGE + 1)
    assert len(found.lines) == (turns.ON_A_PAGE if shown == 1 else 1)


def test_a_line_says_who_how_and_what_moved():
    line = turns.line(TALKS, F1, TurnChange("deflector", 1, -0.0123, 1.0, None))
    assert (line.moved, line.before, line.after, line.better) == ("−1.23 pts", "100.0 %", "—", False)
    assert line.about.startswith("Manager · Chat · ")
    assert line.title == shipped().conversation("deflector").title


@pytest.mark.parametrize(
    ("verdicts", "chosen"),
    [
        ([BETTER, WORSE, OPEN], "question.type"),
        ([OPEN, BETTER, OPEN], "question.type"),
        ([OPEN, OPEN, OPEN], "extraction.recall"),  # most turns differ
        ([TIED, TIED, TIED], None),
    ],
)
def test_the_first_measure_is_one_that_got_worse_then_one_that_got_better(verdicts, chosen):
    names = ("extraction.f1", "question.type", "extraction.recall")
    rows = [row(name, 0.5, 0.6, verdict) for name, verdict in zip(names, verdicts, strict=True)]
    rows = [*rows[:2], row(names[2], 0.5, 0.6, verdicts[2], turns_differing=0 if verdicts[2] is TIED else 30)]
    offered = turns.choices(comparison(*rows, row("operations.tokens", 1.0, 2.0, WORSE, turns_differing=0)))
    assert turns.first_choice(offered) == chosen


# Scoreboard and forest


class _Cells(HTMLParser):
    """The texts of a table's cells, row by row, and every tag there is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += f" {data}"


def test_the_scoreboard_has_a_row_for_each_measure_with_data():
    rows = (
        row("extraction.f1", 0.5, 0.7, BETTER),
        row("question.type", None, None),
        row("operations.tokens", 0.0, 9.0),
    )
    cells = _Cells(compare_scoreboard.scoreboard(comparison(*rows), "A", "B"))
    assert [own[0].strip() for own in cells.rows if own] == [
        "Measure", "Understanding the message", "Dimensions, F1 ↑", "Operations", "Tokens, a conversation ↓",
    ]  # fmt: skip
    assert [" ".join(cell.split()) for cell in cells.rows[2]][3:] == [
        "40", "+20.0 pts [+18.0, +22.0]", "0.020", "3.0 pts", "▲ better",
    ]  # fmt: skip
    assert compare_scoreboard.not_measured(comparison(*rows)) == ("Question type acceptable",)


def test_run_names_cannot_bring_markup_into_the_scoreboard():
    rows = (row("extraction.f1", 0.5, 0.7, reason="<b>no</b>"),)
    html = compare_scoreboard.scoreboard(comparison(*rows), '<script>"', "</style><img src=x>")
    assert not {"script", "img", "b"} & _Cells(html).tags


def test_the_forest_marks_verdicts_by_shape_and_word_and_runs_by_place():
    from evals.report.forest import panels

    one = panels([row("extraction.f1", 0.5, 0.7, BETTER)])[0]
    other = panels([row("extraction.f1", 0.5, 0.4, WORSE)])[0]
    chart = compare_forest.forest({"B": one, "C": other})
    marks = chart["layer"][3]
    assert [value["words"] for value in marks["data"]["values"]] == ["B: +20.0 pts better", "C: −10.0 pts worse"]
    assert marks["encoding"]["shape"]["scale"]["range"] == ["triangle-up", "triangle-down", "square", "circle"]
    assert marks["encoding"]["yOffset"]["sort"] == ["B", "C"]
    assert "C: Dimensions, F1 −10.0 pts, worse." in compare_forest.described({"B": one, "C": other})
    json.dumps(chart)


# Prompts


def _asked(name: str, hashes: dict[str, str], variant: str = "rules") -> AskedSide:
    return AskedSide(name, Variant(name="llm:m", prompts=hashes), side(variant).records[1])


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("same", "Both were sent the same words."),
        ("gone", "The version that B was asked with is not here"),
        ("rules", "B asked no model"),
    ],
)
def test_what_cannot_be_compared_is_said(second, said):
    library = PromptLibrary()
    known = library.hashes(ANALYSIS_PROMPTS)
    hashes = {"same": known, "gone": dict.fromkeys(known, "0" * 64), "rules": {}}[second]
    found = compare_prompts.prompt_differences(
        _asked("A", known), _asked("B", hashes), conversation("carrier"), library
    )
    assert len(found) == len(ANALYSIS_PROMPTS)
    assert all(said in item.said and not item.pieces for item in found)


def test_two_versions_of_a_prompt_differ_in_their_words(tmp_path):
    shipped_one = PromptLibrary().load("extraction")
    (tmp_path / "extraction").mkdir()
    text = shipped_one.content.decode()
    changed = text.replace("version: v1", "version: v2").replace("Report what the customer has", "List what they")
    (tmp_path / "extraction" / "v2.md").write_text(changed, encoding="utf-8")
    library = PromptLibrary(tmp_path)
    first, second = library.load("extraction", "v1"), library.load("extraction", "v2")
    found = compare_prompts.prompt_differences(
        _asked("A", {"extraction": first.hash}), _asked("B", {"extraction": second.hash}),
        conversation("carrier"), library,
    )[0]  # fmt: skip
    assert "the prompt itself differs" in found.said
    assert found.refs == (first.ref, second.ref)
    assert {piece.kind for piece in found.pieces} >= {"removed", "added"}


def test_runs_without_a_model_have_no_prompts():
    assert (
        compare_prompts.prompt_differences(_asked("A", {}), _asked("B", {}), conversation("carrier"), PromptLibrary())
        == ()
    )


# Costs, fallbacks, repeats


def test_a_gain_comes_with_its_price(sides):
    found = lift(sides[0], scores(by_model(), "model"), F1, resamples=200)
    price = compare_costs.price(found)
    assert price.dollars.startswith("$0.0")
    assert price.seconds.endswith("]")
    assert price.is_known
    assert compare_costs.lift_line(found).per_dollar.startswith("0.0 pts")


def test_a_price_is_known_if_any_of_it_is():
    assert not compare_costs.Price("—", "—").is_known
    assert compare_costs.Price("—", "+0.50 s").is_known


def test_who_was_right_leaves_out_what_never_was():
    said = compare_costs.who_was_right({"only the model right": 1_035, "neither right": 73, "both right": 0})
    assert said == "Only the model got it right: 1,035. Neither right: 73."


def test_fallbacks_are_counted_by_reason():
    found = compare_costs.fallbacks("A", scores(by_rules(), "rules"))
    assert (found.fallbacks, found.share, found.reasons) == (0, "none", ())
    assert compare_costs.Fallbacks("A", 1, 500, ()).share == "under 1 %"
    assert compare_costs.Fallbacks("A", 60, 500, ()).share == "12 %"


def test_only_what_was_asked_repeatedly_varies():
    found = [Variation(F1, 3, 0.0123, 0.05), Variation(find_metric("question.type"), 1, None, None)]
    (line,) = compare_costs.variation_lines(found, lambda _: True)
    assert (line.title, line.answers, line.conversations) == ("Dimensions, F1", "1.2 pts", "5.0 pts")


# Files


@pytest.mark.parametrize("format_", ["CSV", "JSON", "Parquet"])
def test_the_scoreboard_as_a_file_has_every_metric_unrounded(found, format_):
    content = compare_export.scoreboard_file(found, format_)
    rows = _rows(content, format_)
    assert len(rows) == len(METRICS)
    first = next(own for own in rows if own["metric"] == "extraction.f1")
    assert float(first["difference"]) == pytest.approx(found.row("extraction.f1").difference.value)
    assert first["verdict"] == Verdict.BETTER


@pytest.mark.parametrize("format_", ["CSV", "JSON", "Parquet"])
def test_the_turns_as_a_file_say_what_each_is_about(sides, found, format_):
    changes = turn_changes(*sides, F1)
    rows = _rows(compare_export.turns_file(found, TALKS, F1, changes, format_), format_)
    assert len(rows) == len(changes)
    assert rows[0]["conversation_id"] == changes[0].conversation_id
    assert rows[0]["persona"] in set(Persona)
    assert rows[0]["split"] == "dev"


def _rows(content: bytes, format_: str) -> list[dict[str, object]]:
    if format_ == "JSON":
        read = json.loads(content)
        return read["rows"] if isinstance(read, dict) else read
    if format_ == "Parquet":
        from pyarrow import parquet

        return parquet.read_table(io.BytesIO(content)).to_pylist()
    import csv

    return list(csv.DictReader(io.StringIO(content.decode())))


# Report


def test_the_report_tells_the_worst_turns_with_what_was_said(sides, found):
    changes = turn_changes(*sides, F1)
    rows = (run_row("run-a", "rules"), run_row("run-b", "recorded", fast_model="a-model"))
    made = reports.report(
        found, "b2b_discovery", TALKS, rows, ("Rules", "A model"), F1, changes,
        Slice(channels=(Channel.CHAT,)), ["A note."],
        lambda run, conversation_id: side("rules"),
    )  # fmt: skip
    assert len(made.best) == reports.TURNS
    assert made.second.source == "recorded answers, played back (a-model)"
    assert made.part == "Only: Chat."
    assert made.best[0].message == shipped().conversation(made.best[0].conversation_id).turns[made.best[0].turn].text
    assert "A note." in render(made)


def test_a_part_is_named_in_words():
    part = Slice(personas=(Persona.MANAGER, Persona.IC), splits=("dev",), conversations=("deflector",))
    title = shipped().conversation("deflector").title
    assert reports.part_words(part, TALKS) == f"Only: Manager or Individual contributor; dev part; {title}."
    assert reports.part_words(Slice(), TALKS) == ""


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (run_row(variant="rules"), "fixed rules, no model"),
        (run_row(variant="llm:m", reasoning_model="m"), "asked in this run (m)"),
        (run_row(variant="recorded, merge latest"),
         "recorded answers, played back; judged again without asking: merge latest"),
        (run_row(variant="llm:m, folded again", fast_model="m"),
         "asked in an earlier run (m); judged again without asking: folded again"),
    ],
)  # fmt: skip
def test_a_run_says_where_its_answers_came_from(row, words):
    assert reports.source_words(row) == words
