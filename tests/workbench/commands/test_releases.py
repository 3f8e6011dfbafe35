from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from engine.llm.fake import FakeModelConfig
from engine.prompts import read_prompt
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer, start_embedded
from engine.state.schema import upgrade
from engine.state.tenants import EVERYBODY
from evals.tuning.search_record import save_search
from evals.tuning.versions import PromptWorkspace
from tests.evals.tuning.search_records import searched
from tests.integration.postgres_servers import short_folder
from tests.integration.released_prompts import edited, release, roll_back
from tests.integration.released_prompts import shipped as shipped_set

RELEASE_KEYS = {
    "number", "prompt_set", "stage", "released_at", "released_by", "note", "verdict", "overridden_because",
    "returns_to", "passed", "in_production",
}  # fmt: skip
RULES = """
datasets = ["talks"]
variant = "llm:openai/fake-model"
minimum_turns = 1
minimum_conversations = 1
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def tenant(server, home, shipped, monkeypatch) -> str:
    """A tenant whom the commands take by default, on a server that settings name, and a gate for small data sets."""
    monkeypatch.setenv("QBS_DATABASE_URL", server.urls.app)
    tenant = str(uuid4())
    monkeypatch.setenv("QBS_TENANT", tenant)
    home.mkdir()
    (home / "promotion.toml").write_text(RULES)
    lines = (shipped / "talks" / "conversations.jsonl").read_text().splitlines()
    labels = [
        {
            "conversation_id": json.loads(line)["id"],
            "turn": turn,
            "engagement": "factual",
            "pain_depth": "surface",
            "question_types": ["impact"],
            "back_off": False,
            "dimensions": [],
            "people": [],
        }
        for line in lines
        for turn in (1, 3)
    ]
    (shipped / "talks" / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))
    return tenant


@pytest.fixture
def shorter(home: Path) -> str:
    """The hash of a set that is saved as `shorter`."""
    workspace = PromptWorkspace(home / "prompts")
    content = edited("Be brief.").prompt("question").content
    version = workspace.save("question", content, author="ines", parent="question")
    return workspace.save_set([version.ref], author="ines", label="shorter").hash


@pytest.fixture
def asking(fake, monkeypatch) -> None:
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")


def listed(qbs, *options: str) -> list[dict]:
    return json.loads(qbs("releases", "list", "--json", *options).stdout)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="rules")], indirect=True)
def test_from_the_gate_to_production_and_back(qbs, asking, home, shorter):
    asked = qbs("releases", "gate", "shorter", "--neutral", "--json")
    assert asked.exit_code == 1
    missing = [run["command"] for run in json.loads(asked.stdout)["decision"]["missing"]]
    assert missing == [
        f"qbs replay talks --variant llm:openai/fake-model --prompts {name}" for name in ("shipped", "shorter")
    ]
    for command in missing:
        assert qbs(*shlex.split(command)[1:]).exit_code == 0

    unsaid = qbs("promote", "shorter", "--note", "fewer words", "--json")
    assert unsaid.exit_code == 1
    assert json.loads(unsaid.stdout)["release"] is None
    assert json.loads(unsaid.stdout)["decision"]["verdict"] == "tied"
    assert listed(qbs) == []

    tried = qbs("promote", "shorter", "--neutral", "--dry-run")
    assert (tried.exit_code, listed(qbs)) == (0, [])
    assert tried.stdout.startswith("Passed: tied. shorter against shipped, which is in production.")
    assert "flatter" not in tried.stdout

    version = PromptWorkspace(home / "prompts").set_named("shorter").prompt("question").ref
    save_search(home / "searches", searched("question@00000000", version, dataset="talks"))
    flattered = qbs("promote", "shorter", "--neutral", "--dry-run")
    assert flattered.exit_code == 0
    assert "these figures flatter it" in flattered.stdout

    done = qbs("promote", "shorter", "--neutral", "--note", "fewer words", "--by", "ines")
    assert done.exit_code == 0
    assert "Release 1: " in done.stdout
    (row,) = listed(qbs)
    assert set(row) == RELEASE_KEYS
    assert (row["prompt_set"], row["released_by"], row["passed"], row["in_production"]) == (shorter, "ines", True, True)
    shown = json.loads(qbs("releases", "show", "1", "--json").stdout)
    assert [run["dataset"] for run in shown["evidence"]["runs"]] == ["talks"]
    assert qbs("releases", "show", "1", "--prompt", "question").stdout == shown["prompts"]["question"]
    assert "the gate passed" in qbs("releases", "show", "1").stdout

    back = qbs("releases", "rollback", "--note", "too short")
    assert back.exit_code == 0
    assert [row["in_production"] for row in listed(qbs)] == [True, False]
    again = qbs("releases", "rollback", "--to", "1", "--note", "it was fine", "--json")
    assert json.loads(again.stdout)["release"]["returns_to"] == 1


def test_without_a_model_the_gate_says_so_and_an_override_needs_a_reason_that_stays(qbs, home, shorter):
    (home / "promotion.toml").write_text(RULES.replace("llm:openai/fake-model", "llm"))
    blocked = qbs("promote", "shorter", "--note", "fewer words")
    assert blocked.exit_code == 1
    assert "no model is configured" in blocked.stdout
    assert '--override "why"' in blocked.stderr
    assert qbs("promote", "shorter", "--note", "x", "--override", " ").exit_code == 2
    forced = qbs("promote", "shorter", "--note", "fewer words", "--override", "the fair is today")
    assert forced.exit_code == 0
    assert "The gate was overridden: the fair is today." in forced.stdout
    assert "OVERRIDDEN: the fair is today." in qbs("releases", "list").stdout
    assert "the gate did not pass" in qbs("releases", "show", "1").stdout
    (row,) = listed(qbs)
    assert (row["passed"], row["overridden_because"]) == (False, "the fair is today")


def test_a_set_can_be_a_candidate_and_a_draft_again_and_what_is_in_production_cannot(qbs, shorter):
    for stage in ("candidate", "draft"):
        assert qbs("promote", "shorter", "--to", stage, "--note", "for the team").exit_code == 0
    assert [row["stage"] for row in listed(qbs)] == ["draft", "candidate"]
    assert not any(row["in_production"] for row in listed(qbs))
    qbs("promote", "shorter", "--note", "now", "--override", "in a hurry")
    refused = qbs("promote", "shorter", "--to", "draft", "--note", "not yet")
    assert refused.exit_code == 3
    assert "roll back first" in refused.stderr


@pytest.mark.parametrize("conflict", [False, True])
def test_what_was_released_elsewhere_is_kept_here_if_its_version_is_free(qbs, server, tenant, home, shorter, conflict):
    text = edited("Be warm.").contents()["question"].replace("version: v1", f"version: {'v2' if conflict else 'v7'}")
    elsewhere = shipped_set().with_prompts(read_prompt(text.encode(), where="question"))

    async def released() -> None:
        database = Database(server.urls.app)
        await release(database, tenant, elsewhere)
        await database.aclose()

    asyncio.run(released())
    asked = json.loads(qbs("releases", "gate", "shorter", "--json").stdout)["decision"]
    assert asked["production"] == elsewhere.hash
    if conflict:
        assert "question v2 is there with other content" in asked["findings"][0]["reason"]
    else:
        name = asked["missing"][0]["prompts"]
        assert PromptWorkspace(home / "prompts").set_named(name).hash == elsewhere.hash


def test_what_is_in_production_is_not_promoted_again_whatever_it_came_through(qbs, server, shorter):
    assert qbs("promote", "shorter", "--note", "first", "--override", "the demo needs it").exit_code == 0
    again = qbs("promote", "shorter", "--note", "once more")
    assert again.exit_code != 0
    assert "in production already: there is nothing to promote" in again.stderr
    assert [row["overridden_because"] for row in listed(qbs)] == ["the demo needs it"]


def test_what_is_in_production_for_everybody_counts_where_a_tenant_has_nothing_of_its_own(qbs, server, shorter):
    async def back() -> None:
        database = Database(server.urls.app)
        await roll_back(database, EVERYBODY)
        await database.aclose()

    assert qbs("promote", "shorter", "--everybody", "--note", "all", "--override", "agreed").exit_code == 0
    try:
        assert [row["number"] for row in listed(qbs, "--everybody")] == [1]
        assert listed(qbs) == []
        same = qbs("releases", "gate", "shorter")
        assert same.exit_code == 0
        assert "it is what is in production now" in same.stdout
    finally:
        asyncio.run(back())


def test_what_somebody_else_released_meanwhile_is_not_rolled_back_unseen(qbs, shorter):
    first = ("promote", "shorter", "--note", "fewer words", "--override", "the fair is today", "--by", "ann")
    assert qbs(*first).exit_code == 0
    for since, told in (("0", f"Meanwhile ann moved {shorter[:8]} to production as number 1"), ("7", "no release 7")):
        refused = qbs("releases", "rollback", "--note", "mine", "--since", since, "--by", "bob")
        assert refused.exit_code == (1 if since == "0" else 2)
        assert told in " ".join(refused.stderr.split())
    assert '("fewer words"). Look again' in qbs("releases", "rollback", "--since", "0", "--by", "bob").stderr
    assert qbs("releases", "rollback", "--note", "mine", "--since", "1", "--by", "bob").exit_code == 0
    late = qbs("releases", "rollback", "--to", "1", "--since", "1", "--by", "ann")
    assert late.exit_code == 1
    assert "Meanwhile bob gave up prompts of its own as number 2" in late.stderr
    assert [row["note"] for row in listed(qbs)] == ["mine", "fewer words"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("promote", "no-such-set", "--note", "x"), 2, "no-such-set"),
        (("promote", "shipped"), 2, "say what the release is for"),
        (("promote", "shipped", "--to", "draft", "--neutral", "--note", "x"), 2, "on the way into production"),
        (("promote", "shipped", "--tenant", "a", "--everybody", "--note", "x"), 2, "either --tenant or --everybody"),
        (("releases", "list", "--tenant", " "), 2, "is empty"),
        (("releases", "show", "7"), 2, "no release 7"),
        (("releases", "show", "70000000000"), 2, "no release 70000000000"),
        (("releases", "show", "7", "--prompt", "question"), 2, "no release 7"),
        (("releases", "rollback"), 3, "nothing to roll back"),
        (("releases", "rollback", "--to", "7"), 2, "no release 7"),
        (("releases", "protect", "talks", "talk-1", "0"), 3, "not a customer's"),
        (("releases", "protect", "talks", "talk-9", "1"), 2, "talk-9"),
        (("releases", "unprotect", "talks", "talk-1", "1"), 2, "is not on the list"),
        (("releases", "unprotect", "talks", "no name", "1"), 2, "'no name' in 'talks' is not on the list"),
    ],
)
def test_what_cannot_be_done_is_said(qbs, arguments, code, words):
    ended = qbs(*arguments)
    assert ended.exit_code == code
    assert words in ended.stderr


def test_turns_are_protected_listed_and_let_go(qbs, home):
    assert qbs("releases", "protect", "talks", "talk-1", "3", "--why", "the CFO", "--by", "ines").exit_code == 0
    (row,) = json.loads(qbs("releases", "protected", "--json").stdout)
    assert (row["conversation_id"], row["turn"], row["why"], row["by"]) == ("talk-1", 3, "the CFO", "ines")
    assert "the CFO" in qbs("releases", "protected").stdout
    assert "must not break: 1 turn," in qbs("releases", "gate").stdout
    assert json.loads(qbs("releases", "protect", "talks", "talk-1", "3", "--json").stdout) == row  # it stays as it is
    gone = qbs("releases", "unprotect", "talks", "talk-1", "3", "--json")
    assert json.loads(gone.stdout) == {"dataset": "talks", "conversation_id": "talk-1", "turn": 3}
    assert json.loads(qbs("releases", "protected", "--json").stdout) == []


def test_the_gate_shows_what_it_asks_for(qbs, home):
    found = json.loads(qbs("releases", "gate", "--json").stdout)
    assert (found["datasets"], found["minimum_turns"], found["limits"]["fallbacks"]) == (["talks"], 1, 0.02)
    assert f"From {home / 'promotion.toml'}" in qbs("releases", "gate").stdout
    (home / "promotion.toml").write_text(RULES + "[limits]\ncost_growth = inf\n")
    assert json.loads(qbs("releases", "gate", "--json").stdout)["limits"]["cost_growth"] is None
    assert "cost a conversation: not limited" in qbs("releases", "gate").stdout
    (home / "promotion.toml").write_text('metrics = ["extraction.f2"]\n')
    wrong = qbs("releases", "gate")
    assert wrong.exit_code == 2
    assert "promotion.toml, line 1" in wrong.stderr


@pytest.mark.parametrize("command", [("releases", "gate"), ("releases", "gate", "shorter"), ("promote", "shorter")])
def test_a_data_set_of_the_rules_that_there_is_not_is_named_with_its_line(qbs, home, shorter, command):
    (home / "promotion.toml").write_text(
        "minimum_turns = 1\n" + RULES.replace("talks", "talk").replace("minimum_turns = 1\n", "").lstrip()
    )
    wrong = qbs(*command, *(("--note", "x") if command[0] == "promote" else ()))
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "promotion.toml, line 2: there is no data set 'talk'; did you mean talks?" in wrong.stderr
