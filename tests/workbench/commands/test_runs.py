from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

KEYS = {
    "run_id", "status", "dataset", "dataset_hash", "variant", "reasoning_model", "fast_model", "state_mode", "samples",
    "conversations", "turns_expected", "created_at", "engine_hash", "commit", "dirty", "turns", "failures",
    "fallbacks", "tokens_in", "tokens_out", "cost_usd", "problem", "prompt_set", "prompts",
}  # fmt: skip


@pytest.fixture
def run_id(qbs) -> str:
    return json.loads(qbs("replay", "talks", "--json").stdout)["run_id"]


def test_without_runs_the_list_is_empty_and_says_how_to_make_one(qbs):
    assert "qbs replay" in qbs("runs", "list").stdout
    assert json.loads(qbs("runs", "list", "--json").stdout) == []


def test_the_list_for_programs_has_the_documented_keys(qbs, run_id):
    (run,) = json.loads(qbs("runs", "list", "--json").stdout)
    assert set(run) == KEYS
    assert (run["run_id"], run["status"], run["dataset"], run["variant"]) == (run_id, "complete", "talks", "rules")


def test_the_list_can_be_narrowed(qbs, run_id):
    assert len(json.loads(qbs("runs", "list", "--dataset", "talks", "--variant", "rules", "--json").stdout)) == 1
    assert json.loads(qbs("runs", "list", "--dataset", "others", "--json").stdout) == []
    assert "no such runs" in qbs("runs", "list", "--variant", "recorded").stdout


def test_the_list_for_people_is_a_table(qbs, run_id):
    header, row = qbs("runs", "list").stdout.splitlines()
    assert header.split() == ["RUN", "STATUS", "TURNS", "FALLBACKS", "COST", "MADE"]
    assert row.split()[:5] == [run_id, "complete", "4/4", "0", "$0.00"]


def test_the_list_says_which_prompts_answered_where_they_are_not_the_shipped_ones(qbs, run_id, tmp_path, home):
    from tests.evals.tuning.prompt_files import question

    recorded = {"QBS_RECORDING_MODE": "recorded"}
    replay = ("replay", "talks", "--variant", "llm:openai/nobody")
    qbs(*replay, env=recorded)
    shipped, rules = json.loads(qbs("runs", "list", "--json").stdout)
    assert (shipped["prompt_set"], rules["prompt_set"], rules["prompts"]) == ("shipped", None, {})
    assert "PROMPTS" not in qbs("runs", "list").stdout

    (tmp_path / "question.md").write_text(question())
    saved = json.loads(qbs("prompts", "save", tmp_path / "question.md", "--author", "ann", "--json").stdout)
    made = json.loads(qbs(*replay, "--prompts", "question@v2", "--json", env=recorded).stdout)
    assert made["prompt_set"] == "question@v2"
    assert made["prompts"] == shipped["prompts"] | {"question": saved["hash"]}
    assert json.loads(qbs("runs", "list", "--json").stdout)[0]["prompts"] == made["prompts"]
    header, *rows = qbs("runs", "list").stdout.splitlines()
    assert header.split()[-1] == "PROMPTS"
    assert [row.split()[-1] for row in rows] == ["question@v2", "shipped", "-"]

    (home / "prompts" / "question" / "v2.md").unlink()  # then its content is all that is known of it
    assert f"question@{saved['hash'][:8]}" in qbs("runs", "list").stdout
    assert json.loads(qbs("runs", "show", "latest", "--json").stdout)["prompt_set"] == f"question@{saved['hash'][:8]}"


def test_a_run_is_summed_up_for_people_and_for_programs(qbs, run_id):
    shown = qbs("runs", "show", run_id[-8:])
    assert shown.exit_code == 0
    assert "complete, 4 of 4 turns" in shown.stdout
    assert "rules 12" in shown.stdout
    assert "conversations of unknown origin" in shown.stdout
    facts = json.loads(qbs("runs", "show", "latest", "--json").stdout)
    assert set(facts) == KEYS | {
        "origin", "sources", "fallback_reasons", "latency_ms", "question_types", "guardrail_changes",
        "by_conversation",
    }  # fmt: skip
    assert facts["sources"] == {"rules": 12}
    assert [each["conversation_id"] for each in facts["by_conversation"]] == ["talk-1", "talk-2"]
    assert set(facts["by_conversation"][0]) == {
        "conversation_id", "turns", "failures", "fallbacks", "completion", "pain_depth", "back_offs", "people", "stage",
    }  # fmt: skip


def test_one_conversation_is_shown_turn_by_turn(qbs, run_id):
    shown = qbs("runs", "show", run_id, "--conversation", "k-1").stdout
    assert [line.split(":")[0] for line in shown.splitlines() if line.startswith("turn")] == ["turn 1", "turn 3"]
    assert "  ask     " in shown
    records = json.loads(qbs("runs", "show", run_id, "--conversation", "talk-1", "--json").stdout)["records"]
    assert [record["turn"] for record in records] == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nothing"], "there is no run 'nothing'"),
        (["export", "nothing"], "there is no run 'nothing'"),
        (["show", "latest", "--conversation", "talk-9"], "did you mean talk-1 or talk-2?"),
        (["show", "latest", "--conversation", "talk"], "did you mean talk-1 or talk-2?"),
    ],
)
def test_an_unknown_name_is_wrong_usage_and_names_what_is_near(qbs, run_id, arguments, said):
    result = qbs("runs", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_each_format_holds_every_turn(qbs, run_id, tmp_path):
    from pyarrow import parquet

    for name in ("csv", "parquet", "json", "jsonl"):
        result = qbs("runs", "export", run_id, "--to", tmp_path / f"turns.{name}")
        assert result.exit_code == 0, result.stderr
    assert len(list(csv.DictReader(io.StringIO((tmp_path / "turns.csv").read_text())))) == 4
    assert parquet.read_table(tmp_path / "turns.parquet").num_rows == 4
    assert [row["turn"] for row in json.loads((tmp_path / "turns.json").read_text())] == [1, 3, 1, 3]
    assert len((tmp_path / "turns.jsonl").read_text().splitlines()) == 4


def test_without_a_file_the_export_goes_to_stdout(qbs, run_id):
    lines = qbs("runs", "export", "latest", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(line)["run_id"] for line in lines} == {run_id}


def test_the_documented_columns_are_those_of_the_export(qbs, run_id):
    reference = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")
    header = qbs("runs", "export", "latest", "--format", "csv").stdout.splitlines()[0].split(",")
    assert [name for name in header if f"`{name}`" not in reference] == []
    assert [name for name in KEYS if f"`{name}`" not in reference] == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--to", "."], 2, "--to"),
        (["--to", "out.xls"], 2, "does not end in .csv, .parquet, .json or .jsonl"),
        (["--format", "csv", "--to", "."], 3, "is a folder"),
        (["--to", "turns.xlsx"], 2, ".csv, .parquet, .json or .jsonl"),
        (["--to", "nowhere/turns.csv"], 3, "does not exist"),
        (["--format", "xlsx"], 2, "--format"),
    ],
)
def test_a_place_or_format_that_cannot_be_is_named(qbs, run_id, options, code, said):
    result = qbs("runs", "export", run_id, *options)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_file_that_is_there_is_only_overwritten_when_told_to(qbs, run_id, tmp_path):
    file = tmp_path / "turns.csv"
    file.write_text("mine")
    refused = qbs("runs", "export", run_id, "--to", file)
    assert (refused.exit_code, file.read_text()) == (3, "mine")
    assert "--force" in refused.stderr
    assert qbs("runs", "export", run_id, "--to", file, "--force").exit_code == 0
    assert run_id in file.read_text()


@pytest.mark.parametrize(
    "command",
    [["runs", "list"], ["runs", "list", "--json"], ["runs", "list", "--dataset", "x"], ["runs", "show", "latest"]],
)
def test_reading_where_nothing_was_made_makes_nothing(qbs, home, command):
    result = qbs(*command)
    assert not home.exists()
    assert "--json" in command or str(home) in result.output


def test_a_run_whose_turns_were_not_timed_says_so(qbs, run_id):
    lines = qbs("runs", "show", run_id).stdout.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines if line.split()[:1] == ["latency"]] == ["not measured"]


def test_the_index_is_made_anew_from_the_folders(qbs, home, run_id):
    before = qbs("runs", "list", "--json").stdout
    (home / "index.duckdb").write_bytes(b"not a database")
    result = qbs("runs", "reindex", "--json")
    assert json.loads(result.stdout) == {"runs": 1, "turns": 4, "unreadable": []}
    assert qbs("runs", "list", "--json").stdout == before


def test_a_damaged_index_repairs_itself(qbs, home, run_id):
    (home / "index.duckdb").write_bytes(b"not a database")
    result = qbs("runs", "list", "--json", env={"QBS_LOG_LEVEL": "warning"})
    assert [run["run_id"] for run in json.loads(result.stdout)] == [run_id]
    assert json.loads(result.stderr)["event"] == "index_rebuilt"


def test_a_run_whose_folder_is_gone_is_gone(qbs, home, run_id):
    shutil.rmtree(home / "runs" / run_id)
    assert json.loads(qbs("runs", "list", "--json").stdout) == []


def test_reindexing_names_what_it_had_to_leave_out(qbs, home, run_id):
    (home / "runs" / "broken").mkdir()
    (home / "runs" / "broken" / "manifest.json").write_text("{")
    result = qbs("runs", "reindex")
    assert result.exit_code == 0
    assert "1 run, 4 turns" in result.stdout
    assert "broken" in result.stderr
