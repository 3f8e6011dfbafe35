from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.workbench.commands.conftest import conversation, write_lines


@pytest.fixture
def calls(tmp_path):
    return write_lines(tmp_path / "my calls.jsonl", conversation(1), conversation(2))


def test_all_conversations_of_a_file_become_a_data_set_named_after_it(qbs, home, calls):
    result = qbs("import", calls)
    assert (result.exit_code, result.stdout) == (0, "2 conversations added in my-calls.\n")
    assert "qbs replay my-calls" in result.stderr
    assert "http://127.0.0.1:8501/?dataset=my-calls" in result.stderr
    imported = home / "conversations" / "my-calls" / "conversations.jsonl"
    assert imported.read_bytes() == calls.read_bytes()


def test_more_files_can_go_into_one_data_set(qbs, calls, tmp_path):
    more = write_lines(tmp_path / "more.jsonl", conversation(3))
    qbs("import", calls, "--into", "pilot")
    result = qbs("import", more, "--into", "pilot", "--json")
    assert json.loads(result.stdout) == {"dataset": "pilot", "added": ["talk-3"], "replaced": []}
    assert len(json.loads(qbs("conversations", "list", "pilot", "--json").stdout)) == 3


def test_an_import_says_where_the_conversations_come_from_and_runs_say_it_too(qbs, calls, tmp_path):
    qbs("import", calls, "--into", "pilot", "--origin", "simulated")
    listed = qbs("conversations", "list", "pilot").stdout.splitlines()
    assert listed[1] == "conversations: simulated by code, not recorded from customers"
    qbs("replay", "pilot")
    assert "simulated by code, not recorded from customers" in qbs("runs", "show", "latest").stdout
    other = qbs(
        "import", write_lines(tmp_path / "more.jsonl", conversation(3)), "--into", "pilot", "--origin", "recorded"
    )
    assert other.exit_code == 3
    assert "import recorded ones into another data set" in other.stderr


def test_a_file_with_problems_is_refused_whole_and_every_problem_has_its_line(qbs, home, tmp_path):
    file = write_lines(tmp_path / "bad.jsonl", conversation(1), '{"id": NaN}', conversation(2, persona="boss"))
    result = qbs("import", file)
    assert result.exit_code == 3
    assert result.stdout == ""
    said = result.stderr.splitlines()
    assert said[0].startswith(f"{file}:2: ")
    assert said[1].startswith(f"{file}:3: persona")
    assert said[2] == f"Error: nothing was imported: 2 problems in {file}"
    assert not (home / "conversations").exists()


@pytest.mark.parametrize("turns", [[], [{"index": "first"}]])
def test_a_conversation_without_turns_is_refused_in_plain_words(qbs, tmp_path, turns):
    result = qbs("import", write_lines(tmp_path / "bad.jsonl", conversation(1, turns=turns)))
    assert result.exit_code == 3
    assert "turns is empty" in result.stderr or "turns[0]" in result.stderr
    assert "Tuple" not in result.stderr


def test_the_conversation_in_the_documentation_can_be_pasted_into_a_file_and_imported(qbs, tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "data-sets.md").read_text(encoding="utf-8")
    block, *_ = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert block.count("\n") == 1
    file = tmp_path / "pasted.jsonl"
    file.write_text(block, encoding="utf-8")
    assert qbs("import", file).stdout == "1 conversation added in pasted.\n"
    (pasted,) = json.loads(qbs("conversations", "list", "pasted", "--json").stdout)
    assert (pasted["turns"], pasted["customer_turns"]) == (2, 1)
    assert qbs("replay", "pasted").exit_code == 0


def test_a_flood_of_problems_is_cut_but_counted(qbs, tmp_path):
    result = qbs("import", write_lines(tmp_path / "bad.jsonl", *(["{"] * 30)))
    assert len(result.stderr.splitlines()) == 21
    assert "30 problems" in result.stderr


def test_a_conversation_that_is_there_already_is_refused_unless_it_is_to_be_replaced(qbs, calls, tmp_path):
    qbs("import", calls, "--into", "pilot")
    again = write_lines(tmp_path / "again.jsonl", conversation(3), conversation(2, title="New title"))
    refused = qbs("import", again, "--into", "pilot")
    assert refused.exit_code == 3
    assert "line 2" in refused.stderr
    assert "'talk-2' is in the data set pilot already" in refused.stderr
    assert "--replace" in refused.stderr
    assert "talk-3" not in qbs("conversations", "list", "pilot").stdout
    assert qbs("import", again, "--into", "pilot", "--replace").stdout == (
        "1 conversation added and 1 conversation replaced in pilot.\n"
    )
    assert "New title" in qbs("conversations", "list", "pilot").stdout


def test_a_shipped_data_set_stays_as_it_is(qbs, calls):
    result = qbs("import", calls, "--into", "talks")
    assert result.exit_code == 3
    assert "another name" in result.stderr


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        (lambda path: None, 3, "No such file"),
        (lambda path: path.mkdir(), 3, "Is a directory"),
        (lambda path: path.touch(), 3, "1 problem"),
        (lambda path: path.write_bytes(b"\xff\xfe{\x00}\x00"), 3, "UTF-16"),
        (lambda path: path.write_bytes(b"\x00\x01\x02\xff"), 3, "1 problem"),
    ],
)
def test_what_is_no_file_of_conversations_is_named(qbs, tmp_path, make, code, said):
    make(tmp_path / "given.jsonl")
    result = qbs("import", tmp_path / "given.jsonl")
    assert result.exit_code == code
    assert said in result.stderr
    assert "given.jsonl" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(qbs, calls):
    calls.chmod(0)
    result = qbs("import", calls)
    assert result.exit_code == 3
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", ".hidden", "x" * 121])
def test_a_data_set_needs_a_name_that_is_one(qbs, home, calls, name):
    result = qbs("import", calls, "--into", name)
    assert result.exit_code == 2
    assert "--into" in result.stderr
    assert not home.exists()


def test_a_home_that_is_a_file_is_named_with_what_to_do(qbs, home, calls):
    home.write_text("not a folder")
    result = qbs("import", calls)
    assert result.exit_code == 4
    assert "QBS_HOME" in result.stderr
