from __future__ import annotations

import json

import pytest

from tests.workbench.commands.conftest import conversation, write_lines
from tests.workbench.commands.test_conversations import label


def run_id_of(result) -> str:
    return result.stdout.split(":")[0]


def test_a_replay_is_a_run_that_can_be_listed_and_shown(qbs, home):
    result = qbs("replay", "talks")
    assert result.exit_code == 0
    assert "complete" in result.stdout
    assert "4 of 4 turns" in result.stdout
    assert (home / "runs" / run_id_of(result) / "finished.json").is_file()
    (run,) = json.loads(qbs("runs", "list", "--json").stdout)
    assert (run["run_id"], run["status"], run["turns"]) == (run_id_of(result), "complete", 4)


def test_the_same_command_again_finds_the_run_complete(qbs):
    first, second = qbs("replay", "talks"), qbs("replay", "talks")
    assert run_id_of(second) == run_id_of(first)
    assert "complete already" in second.stdout
    assert json.loads(qbs("replay", "talks", "--json").stdout)["seconds"] is None


def test_again_makes_a_further_run_each_time(qbs):
    ids = [run_id_of(qbs("replay", "talks", *more)) for more in ([], ["--again"], ["--again"])]
    assert len(set(ids)) == 3


def test_changed_conversations_are_another_run_and_others_beside_them_are_not(qbs, shipped):
    file = shipped / "talks" / "conversations.jsonl"
    first = run_id_of(qbs("replay", "talks", "--conversation", "talk-1"))
    write_lines(file, conversation(1), conversation(2), conversation(3))
    assert run_id_of(qbs("replay", "talks", "--conversation", "talk-1")) == first
    write_lines(file, conversation(1, title="Changed"), conversation(2))
    assert run_id_of(qbs("replay", "talks", "--conversation", "talk-1")) != first


@pytest.mark.parametrize(
    ("options", "turns"),
    [
        (["--conversation", "talk-2"], 2),
        (["--conversation", "talk-1", "--conversation", "talk-2"], 4),
        (["--split", "dev"], 4),
        (["--samples", "3"], 12),
        (["--concurrency", "1"], 4),
    ],
)
def test_options_choose_what_is_replayed(qbs, options, turns):
    run = json.loads(qbs("replay", "talks", *options, "--json").stdout)
    assert (run["status"], run["turns"], run["ended"]) == ("complete", turns, "complete")


def test_gold_state_and_labels_as_the_variant_need_labels_and_work_with_them(qbs, shipped):
    for options in (["--state", "gold"], ["--variant", "labels"]):
        refused = qbs("replay", "talks", *options)
        assert refused.exit_code == 3
        assert "labels" in refused.stderr
    lines = [label(f"talk-{number}", turn) for number in (1, 2) for turn in (1, 3)]
    write_lines(shipped / "talks" / "labels.jsonl", *lines)
    assert json.loads(qbs("replay", "talks", "--state", "gold", "--json").stdout)["state_mode"] == "gold"
    assert json.loads(qbs("replay", "talks", "--variant", "labels", "--json").stdout)["failures"] == 0


@pytest.mark.parametrize("name", [lambda id_: id_, lambda id_: id_[-8:], lambda id_: "latest"])
def test_a_fork_goes_on_from_a_turn_of_an_earlier_run_however_that_is_named(qbs, name):
    origin = run_id_of(qbs("replay", "talks"))
    fork = json.loads(qbs("replay", "--fork", f"{name(origin)}:talk-1:3", "--json").stdout)
    assert (fork["dataset"], fork["state_mode"], fork["turns"], fork["conversations"]) == ("talks", "fork", 1, 1)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["talkz"], 2, "did you mean talks?"),
        ([], 2, "there is no data set 'b2b_discovery'"),
        (["talks", "--variant", "rulez"], 2, "did you mean rules?"),
        (["talks", "--variant", "llm:"], 2, "there is no variant 'llm:'"),
        (["talks", "--variant", "llm"], 4, "QBS_REASONING_MODEL"),
        (["talks", "--variant", "recorded"], 4, "talks comes without recordings"),
        (["talks", "--conversation", "talk-9"], 2, "did you mean talk-1 or talk-2?"),
        (["talks", "--split", "test"], 3, "no conversations in its test part"),
        (["talks", "--split", "dev", "--conversation", "talk-1"], 2, "either"),
        (["talks", "--samples", "0"], 2, "Invalid value for '--samples': it has to be 1 or more"),
        (["talks", "--samples", "x"], 2, "Invalid value for '--samples': it has to be a whole number"),
        (["talks", "--deadline", "x"], 2, "Invalid value for '--deadline': it has to be a number"),
        (["talks", "--concurrency", "513"], 2, "Invalid value for '--concurrency': it has to be 512 or less"),
        (["talks", "--split", "tset"], 2, "Invalid value for '--split': 'tset' is not one of 'dev', 'test'"),
        (["talks", "--fork", "latest"], 2, "RUN:CONVERSATION:TURN"),
        (["talks", "--fork", "latest:talk-1:two"], 2, "RUN:CONVERSATION:TURN"),
        (["talks", "--fork", "latest:talk-1:1"], 2, "there is no run 'latest'"),
        (["talks", "--fork", "latest:talk-1:1", "--state", "gold"], 2, "leave out"),
        (["talks", "--turns-of", "latest"], 2, "go together"),
        (["talks", "--turn", "talk-1:1"], 2, "go together"),
        (["talks", "--turns-of", "latest", "--turn", "talk-1:1"], 2, "there is no run 'latest'"),
        (["talks", "--turns-of", "latest", "--turn", "talk-1:1", "--state", "gold"], 2, "--turns-of takes --turn"),
    ],
)
def test_what_cannot_be_replayed_is_refused_before_anything_is_written(qbs, home, options, code, said):
    result = qbs("replay", *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert not (home / "runs").exists()


def test_single_turns_are_replayed_in_the_states_of_an_earlier_run_and_compared_with_it(qbs):
    origin = run_id_of(qbs("replay", "talks"))
    picked = ["--turns-of", origin, "--turn", "talk-2:3", "--turn", "talk-1:1"]
    turns = json.loads(qbs("replay", *picked, "--json").stdout)
    assert (turns["dataset"], turns["state_mode"], turns["turns"], turns["conversations"]) == ("talks", "turns", 2, 2)
    again = ["--turns-of", origin, "--turn", "talk-1:1", "--turn", "talk-2:3", "--turn", "talk-1:1"]
    assert "complete already" in qbs("replay", *again).stdout
    (compared,) = json.loads(qbs("compare", origin, turns["run_id"], "--json").stdout)["comparisons"]
    assert (compared["turns"], compared["turns_only_in_first"], compared["turns_only_in_second"]) == (2, 2, 0)


def test_a_turn_that_the_earlier_run_does_not_have_is_named(qbs):
    qbs("replay", "talks")
    for options, code in ((["--turn", "talk-1:2"], 1), (["--turn", "talk-9:1"], 2), (["--turn", "talk-1"], 2)):
        result = qbs("replay", "--turns-of", "latest", *options)
        assert result.exit_code == code
        assert options[1].removesuffix(":1") in result.stderr


def test_a_fork_from_a_turn_that_is_not_there_names_those_that_are(qbs):
    qbs("replay", "talks")
    result = qbs("replay", "--fork", "latest:talk-1:2")
    assert result.exit_code == 1
    assert "has no turn 2 of talk-1; it has these: 1, 3" in result.stderr
    unknown = qbs("replay", "--fork", "latest:tak-1:1")
    assert unknown.exit_code == 2
    assert "there is no conversation 'tak-1'" in unknown.stderr
    assert "did you mean talk-1" in unknown.stderr


def test_a_broken_data_set_is_named_with_file_and_line(qbs, shipped):
    file = write_lines(shipped / "talks" / "conversations.jsonl", conversation(1), "{")
    result = qbs("replay", "talks")
    assert result.exit_code == 3
    assert f"{file}, line 2" in result.stderr


def test_prompts_and_variants_name_the_models_of_the_recordings(qbs, shipped):
    recordings = shipped / "talks" / "recordings"
    recordings.mkdir()
    (recordings / "MANIFEST.json").write_text('{"models": {"reasoning": "openai/big", "fast": "openai/small"}}')
    run = json.loads(qbs("replay", "talks", "--variant", "recorded", "--json").stdout)
    assert (run["reasoning_model"], run["fast_model"]) == ("openai/big", "openai/small")
    shown = json.loads(qbs("runs", "show", run["run_id"], "--json").stdout)
    assert shown["fallback_reasons"] == {"no_recording": 12}


def test_recordings_that_do_not_say_whose_answers_they_are_cannot_be_used(qbs, shipped):
    recordings = shipped / "talks" / "recordings"
    recordings.mkdir()
    (recordings / "MANIFEST.json").write_text('{"models": {}}')
    result = qbs("replay", "talks", "--variant", "recorded")
    assert result.exit_code == 3
    assert "MANIFEST.json" in result.stderr
