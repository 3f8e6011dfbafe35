from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evals.inference.verdict import Verdict
from tests.workbench import command_line
from tests.workbench.commands.conftest import conversation, settle, write_lines
from tests.workbench.commands.judged_talks import write_labelled

UNDECIDED = {Verdict.TIED.value, Verdict.NOT_ENOUGH_DATA.value}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory) -> tuple[Path, str, str]:
    """A QBS_HOME with a run by rules and one of the labels themselves, and their names: to be copied."""
    folder = tmp_path_factory.mktemp("replayed")
    write_labelled(folder / "shipped")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle(folder, monkeypatch)
        monkeypatch.setattr("workbench.services.SHIPPED_DATASETS", folder / "shipped")
        made = (command_line.run("replay", "talks", "--variant", name, "--json") for name in ("rules", "labels"))
        rules, labels = (json.loads(each.stdout)["run_id"] for each in made)
    return folder / "home", rules, labels


@pytest.fixture
def runs(home, shipped, replayed) -> tuple[str, str]:
    """A run by rules and one of the labels themselves."""
    made, rules, labels = replayed
    shutil.copytree(made, home)
    write_labelled(shipped)
    return rules, labels


def rows(result) -> dict[str, dict]:
    (comparison,) = json.loads(result.stdout)["comparisons"]
    return {row["metric"]: row for row in comparison["rows"]}


def test_the_same_run_twice_is_tied_or_open_and_fine(qbs, runs):
    rules, _ = runs
    result = qbs("compare", rules, rules, "--json", "--fail-if", "extraction.f1 < 0", "--fail-if", "extraction.f1 > 0")
    assert result.exit_code == 0, result.stderr
    assert {row["verdict"] for row in rows(result).values()} <= UNDECIDED
    assert rows(result)["extraction.f1"]["difference"] == 0.0


def test_the_same_variant_asked_again_is_tied_or_open(qbs, runs):
    rules, _ = runs
    again = json.loads(qbs("replay", "talks", "--again", "--json").stdout)["run_id"]
    found = rows(qbs("compare", rules, again, "--json"))
    assert {row["verdict"] for row in found.values()} <= UNDECIDED


def test_labels_are_better_than_rules(qbs, runs):
    found = rows(qbs("compare", *runs, "--json", "--metric", "extraction.recall", "--metric", "extraction.f1"))
    assert {row["verdict"] for row in found.values()} == {"better"}
    assert found["extraction.f1"]["second_value"] == 1.0


def test_people_see_a_scoreboard_and_the_worst_turns(qbs, runs):
    rules, labels = runs
    shown = qbs("compare", labels, rules, "--worst", 2).stdout
    assert f"B {rules}\nagainst A {labels}" in shown
    header = next(line for line in shown.splitlines() if line.startswith("METRIC"))
    assert header.split() == ["METRIC", "A", "B", "B", "-", "A", "95", "%", "P", "ADJUSTED", "DETECTABLE", "VERDICT"]
    worst = shown.split("Worst turns by extraction.f1")[1].splitlines()
    assert [line.split()[0][:5] for line in worst[2:4]] == ["talk-", "talk-"]
    assert "extraction.pain.f1" not in shown
    assert "extraction.pain.f1" in qbs("compare", labels, rules, "--details").stdout


def test_a_run_that_is_worse_fails_its_gate(qbs, runs, tmp_path):
    rules, labels = runs
    file = tmp_path / "gates.xml"
    result = qbs("compare", labels, rules, "--fail-if", "extraction.recall < -0.02", "--junit", file)
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    assert "1 of the gates failed" in result.stderr
    assert ElementTree.parse(file).getroot().attrib["failures"] == "1"
    assert qbs("compare", rules, labels, "--fail-if", "extraction.recall < -0.02").exit_code == 0


def test_too_little_data_fails_only_where_that_is_wanted(qbs, runs):
    gate = ["--fail-if", "operations.latency_p50 > 100"]
    assert qbs("compare", *runs, *gate).exit_code == 0
    assert qbs("compare", *runs, *gate, "--fail-on-not-enough-data").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--fail-if", "extraction.f1 << 2"], 2, "column 16: a number is expected"),
        (["--fail-if", "extraction.ff1 < 2"], 2, "did you mean extraction.f1"),
        (["--metric", "extracton"], 2, "did you mean extraction"),
        (["--by", "extraction"], 2, "is a family"),
        (["--stage", "discovry"], 2, "did you mean discovery"),
        (["--persona", "boss"], 2, "there is no persona 'boss'"),
        (["--engagement", "boss"], 2, "there is no engagement signal 'boss'"),
        (["--engagement", "resistant"], 3, "no turn of"),
        (["--split", "test"], 3, "no turn of"),
        (["--csv", "nowhere/rows.csv"], 3, "does not exist"),
        (["nothing"], 2, "there is no run 'nothing'"),
    ],
)
def test_what_cannot_be_is_said(qbs, runs, arguments, code, said):
    result = qbs("compare", *runs, *arguments)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())


def test_one_run_alone_cannot_be_compared(qbs, runs):
    result = qbs("compare", runs[0])
    assert result.exit_code == 2
    assert "name at least two" in result.stderr


@pytest.mark.parametrize(
    ("filters", "turns"),
    [
        ([], 16),
        (["--persona", "c_suite"], 8),
        (["--persona", "c_suite", "--persona", "manager"], 16),
        (["--channel", "chat", "--split", "dev"], 8),
        (["--stage", "prospecting"], 16),
        (["--engagement", "factual"], 16),
    ],
)
def test_a_part_of_the_turns_is_compared(qbs, runs, filters, turns):
    result = qbs("compare", *runs, "--json", "--metric", "extraction.f1", *filters)
    (comparison,) = json.loads(result.stdout)["comparisons"]
    assert comparison["turns"] == turns
    assert [row["metric"] for row in comparison["rows"]] == ["extraction.f1"]


def test_metrics_are_named_by_family_and_gates_bring_theirs(qbs, runs):
    found = rows(qbs("compare", *runs, "--json", "--metric", "expansion", "--fail-if", "question.type is worse"))
    assert {name.split(".")[0] for name in found} == {"expansion", "question"}
    assert "question.type" in found


def test_several_runs_are_compared_with_the_first_in_each_view(qbs, runs):
    rules, labels = runs
    result = qbs("compare", rules, labels, rules, "--view", "both", "--json", "--metric", "extraction.f1")
    pairs = [(own["first"], own["second"], own["view"]) for own in json.loads(result.stdout)["comparisons"]]
    assert pairs == [(rules, second, view) for second in (labels, rules) for view in ("model", "all")]


def test_the_rows_are_the_same_in_every_format(qbs, runs, tmp_path):
    from pyarrow import parquet

    files = ["--csv", tmp_path / "rows.csv", "--parquet", tmp_path / "rows.parquet"]
    found = list(rows(qbs("compare", *runs, "--json", *files)).values())
    assert parquet.read_table(tmp_path / "rows.parquet").to_pylist() == found
    with (tmp_path / "rows.csv").open() as stream:
        written = list(csv.DictReader(stream))
    assert [row["metric"] for row in written] == [row["metric"] for row in found]
    assert [row["verdict"] for row in written] == [row["verdict"] for row in found]


def test_the_report_is_one_page_of_two_runs(qbs, runs, tmp_path):
    file = tmp_path / "report.html"
    assert qbs("compare", *runs, "--html", file).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert all(run_id in page for run_id in runs)
    assert qbs("compare", *runs, runs[0], "--html", file).exit_code == 2


def test_the_ledger_says_who_was_right_and_why_the_model_fell_back(qbs, runs, shipped):
    (shipped / "talks" / "recordings").mkdir()
    (shipped / "talks" / "recordings" / "MANIFEST.json").write_text('{"models": {"reasoning": "m", "fast": "m"}}')
    model = json.loads(qbs("replay", "talks", "--variant", "recorded", "--json").stdout)["run_id"]
    shown = qbs("compare", runs[0], model, "--view", "all", "--ledger")
    assert shown.exit_code == 0, shown.stderr
    assert "fallbacks of B     48: no_recording 48" in shown.stdout
    ledger = json.loads(qbs("compare", runs[0], model, "--view", "all", "--ledger", "--json").stdout)["comparisons"][0]
    assert {note["reason"] for note in ledger["ledger"]["fallbacks"]} == {"no_recording"}
    assert {turn["outcome"] for turn in ledger["ledger"]["turns"]} <= {
        "only the model right", "only the rules right", "both right", "neither right",
    }  # fmt: skip


def test_changed_conversations_are_left_out_and_said(qbs, runs, shipped):
    folder = write_labelled(shipped)
    lines = (folder / "conversations.jsonl").read_text().splitlines()
    talk = json.loads(lines[0])
    talk["turns"][0]["text"] = "What has changed since?"
    write_lines(folder / "conversations.jsonl", talk, *lines[1:])
    result = qbs("compare", *runs, "--json")
    assert json.loads(result.stdout)["comparisons"][0]["conversations"] == 7
    assert "1 of its conversations changed since or are gone, and are left out: talk-1" in result.stderr


def test_without_labels_only_what_needs_none_is_judged_and_said(qbs, shipped):
    runs = [json.loads(qbs("replay", "talks", *more, "--json").stdout)["run_id"] for more in ((), ("--again",))]
    result = qbs("compare", *runs)
    assert result.exit_code == 0
    assert "talks has no labels for this run" in result.stderr
    assert "operations.failures" in result.stdout
    assert not any(line.startswith("extraction.f1") for line in result.stdout.splitlines())


def test_runs_of_different_data_sets_are_not_compared(qbs, runs, shipped):
    write_lines(shipped / "others" / "conversations.jsonl", conversation(1))
    other = json.loads(qbs("replay", "others", "--json").stdout)["run_id"]
    result = qbs("compare", runs[0], other)
    assert result.exit_code == 3
    assert "compare runs of one data set" in result.stderr


def test_the_documented_keys_are_those_of_the_json(qbs, runs):
    reference = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")
    result = qbs("compare", *reversed(runs), "--json", "--fail-if", "extraction.f1 < 0")
    (comparison,) = json.loads(result.stdout)["comparisons"]
    keys = {*comparison, *comparison["rows"][0], *comparison["worst_turns"][0], *comparison["gates"][0]}
    assert sorted(key for key in keys if f"`{key}`" not in reference) == []
