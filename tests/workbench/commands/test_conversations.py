from __future__ import annotations

import json

import pytest

from tests.workbench.commands.conftest import conversation, write_lines

pytestmark = pytest.mark.usefixtures("columns")


def label(conversation_id: str, turn: int, quote: str = "two days a week") -> dict:
    return {
        "conversation_id": conversation_id,
        "turn": turn,
        "engagement": "factual",
        "pain_depth": "surface",
        "dimensions": [{"dimension": "metrics", "value": "2 days", "quote": quote}] if turn == 1 else [],
        "people": [{"mention": "CFO", "quote": "our CFO"}] if turn == 3 else [],
        "back_off": False,
        "question_types": ["impact"],
    }


def test_the_list_names_every_conversation_with_what_one_chooses_by(qbs):
    result = qbs("conversations", "list")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "talks: 2 conversations, 4 customer turns"
    assert result.stdout.splitlines()[1] == "conversations: of unknown origin"
    assert [line.split()[0] for line in result.stdout.splitlines()[4:]] == ["talk-1", "talk-2"]


def test_the_list_for_programs_has_stable_keys(qbs):
    (first, _) = json.loads(qbs("conversations", "list", "--json").stdout)
    assert first == {
        "dataset": "talks",
        "origin": None,
        "id": "talk-1",
        "title": "Talk number 1",
        "account": "Acme",
        "industry": None,
        "persona": "manager",
        "channel": "chat",
        "opening_stage": "prospecting",
        "turns": 4,
        "customer_turns": 2,
        "split": "dev",
        "labelled_turns": 0,
    }


def test_a_split_without_conversations_is_an_empty_list(qbs):
    assert json.loads(qbs("conversations", "list", "--split", "test", "--json").stdout) == []


def test_an_installation_without_data_sets_says_how_to_get_one(qbs, shipped):
    (shipped / "talks" / "conversations.jsonl").unlink()
    assert "qbs import" in qbs("conversations", "list").stdout


@pytest.mark.parametrize("name", ["talk-1", "TALK-1", "k-1"])
def test_a_conversation_is_found_by_its_id_or_a_unique_part_of_it(qbs, name):
    result = qbs("conversations", "show", name)
    assert result.exit_code == 0
    assert "talk-1: Talk number 1" in result.stdout
    assert "  1  customer Ann Lee\n     We lose two days a week to manual reports." in result.stdout


def test_the_transcript_shows_where_the_deal_moved_and_where_the_channel_differs(qbs, shipped):
    changed = conversation(3, stage_changes=[{"after_turn": 1, "to": "discovery"}])
    changed["turns"][1]["channel"] = "call"
    write_lines(shipped / "more" / "conversations.jsonl", changed)
    shown = qbs("conversations", "show", "talk-3").stdout
    assert "the deal moves to discovery" in shown
    assert "customer Ann Lee by call" in shown


def test_labels_are_shown_below_their_turns_when_asked_for(qbs, shipped):
    write_lines(shipped / "talks" / "labels.jsonl", label("talk-1", 1), label("talk-1", 3))
    shown = qbs("conversations", "show", "talk-1", "--labels").stdout
    assert "| factual, pain surface; next: impact" in shown
    assert "| metrics: 2 days («two days a week»)" in shown
    assert "| mentions CFO («our CFO»)" in shown
    assert "|" not in qbs("conversations", "show", "talk-1").stdout


def test_a_conversation_without_labels_says_so(qbs):
    assert "Nobody has labelled" in qbs("conversations", "show", "talk-1", "--labels").stdout


def test_a_conversation_for_programs_is_the_whole_of_it(qbs, shipped):
    write_lines(shipped / "talks" / "labels.jsonl", label("talk-1", 1), label("talk-1", 3))
    shown = json.loads(qbs("conversations", "show", "talk-1", "--labels", "--json").stdout)
    assert shown["dataset"] == "talks"
    assert shown["conversation"]["turns"][1]["text"] == "We lose two days a week to manual reports."
    assert [each["turn"] for each in shown["labels"]] == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "talkz"], "there is no data set 'talkz'; did you mean talks?"),
        (["show", "tlak-1"], "there is no conversation 'tlak-1'; did you mean talk-1 or talk-2?"),
        (["show", "talk"], "did you mean talk-1 or talk-2?"),
        (["check", "nonsense"], "there is no data set, file or folder 'nonsense'; there is talks"),
        (["show", "\x1b[31mred"], "'\ufffd[31mred'"),
    ],
)
def test_an_unknown_name_is_wrong_usage_and_names_what_is_near(qbs, arguments, said):
    result = qbs("conversations", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_an_id_that_two_data_sets_have_asks_which(qbs, shipped):
    write_lines(shipped / "more" / "conversations.jsonl", conversation(1))
    refused = qbs("conversations", "show", "talk-1")
    assert refused.exit_code == 2
    assert "--dataset" in refused.stderr
    assert qbs("conversations", "show", "talk-1", "--dataset", "more").exit_code == 0


def test_sound_data_sets_have_no_problems(qbs):
    result = qbs("conversations", "check")
    assert result.exit_code == 0
    assert result.stdout == "talks: 2 conversations, no problems found\n"


def test_each_problem_is_one_line_with_file_and_line(qbs, shipped):
    file = write_lines(shipped / "talks" / "conversations.jsonl", conversation(1), "{", conversation(1))
    result = qbs("conversations", "check", "talks")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith(f"{file}:2: not valid JSON")
    assert result.stdout.splitlines()[1].startswith(f"{file}:3: the id 'talk-1' is used twice")
    assert result.stdout.splitlines()[2] == "talks: 1 conversation, 2 problems found"


def test_problems_for_programs_have_file_line_and_turn(qbs, tmp_path):
    wrong = conversation(1)
    wrong["turns"][1]["text"] = "a\u202eb"
    file = write_lines(tmp_path / "export.jsonl", wrong)
    result = qbs("conversations", "check", file, "--json")
    assert result.exit_code == 1
    (checked,) = json.loads(result.stdout)
    assert {key: checked["problems"][0][key] for key in ("file", "line", "turn")} == {
        "file": str(file), "line": 1, "turn": 1,
    }  # fmt: skip


def test_agreement_is_shown_where_two_people_labelled(qbs, shipped):
    for name in ("first", "second"):
        write_lines(shipped / "talks" / "labelling" / f"{name}.jsonl", label("talk-1", 1), label("talk-1", 3))
    assert "people.named" in qbs("conversations", "check", "talks").stdout
    (checked,) = json.loads(qbs("conversations", "check", "talks", "--json").stdout)
    assert {"label", "measure", "value", "observed", "n"} == set(checked["agreement"][0])


@pytest.mark.parametrize("what", ["a-folder", "no.bytes"])
def test_what_is_no_data_set_is_invalid_input(qbs, tmp_path, what):
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "no.bytes").touch()
    result = qbs("conversations", "check", tmp_path / what)
    assert result.exit_code in (1, 3)
    assert what in result.stdout + result.stderr
