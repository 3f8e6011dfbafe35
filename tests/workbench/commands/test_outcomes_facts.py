from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.state.tenants import tenant_uuid
from workbench.services import build_services

SHIPPED = Path(__file__).parents[3] / "datasets" / "simulated_outcomes"
ROWS = """conversation,Sent,replied_at,question_type,persona
c1,2026-03-02 09:30,2026-03-02 15:00,impact,manager
c2,2026-03-03 09:30,,impact,ic
c3,2026-03-02 09:30,,solution,ic
"""
RATE_KEYS = {
    "question_type", "rate", "low", "high", "interval", "pooled", "pooled_low", "pooled_high", "own_weight", "outcomes",
    "resolved", "positive", "late", "pending", "early", "superseded", "not_sent", "sent", "unsure_sent", "advanced",
    "progress_known", "answered_advanced", "answered_progress_known", "conversations", "simulated",
}  # fmt: skip


@pytest.fixture
def crm(home, tmp_path) -> Path:
    file = tmp_path / "crm.csv"
    file.write_text(ROWS)
    return file


def test_a_file_is_imported_under_a_mapping_that_is_remembered(qbs, crm):
    done = qbs("outcomes", "import", str(crm), "--map", "recommended_at=Sent", "--zone", "UTC", "--save-mapping", "crm")
    assert done.stdout == "3 outcomes added, 0 corrected, 0 there already.\n"
    again = qbs("outcomes", "import", str(crm), "--mapping", "crm", "--json")
    assert json.loads(again.stdout) == {"added": 0, "corrected": 0, "unchanged": 3, "problems": []}


def test_rows_that_cannot_be_used_are_listed_with_their_lines(qbs, crm):
    crm.write_text(ROWS + "c4,soon,,impact,ic\n")
    options = ("--map", "recommended_at=Sent", "--zone", "UTC")
    refused = qbs("outcomes", "import", str(crm), *options)
    assert refused.exit_code == 3
    assert f"{crm}:5: Sent: is no time" in refused.stderr
    assert "nothing was imported" in refused.stderr
    assert qbs("outcomes", "import", str(crm), *options, "--keep-going").stdout.startswith("3 outcomes added")


def test_rates_are_shown_by_any_crossing(qbs, crm):
    qbs("outcomes", "import", str(crm), "--map", "recommended_at=Sent", "--zone", "UTC")
    rows = json.loads(qbs("outcomes", "rates", "--json").stdout)
    assert {row["question_type"]: (row["positive"], row["resolved"]) for row in rows} == {
        "impact": (1, 2),
        "solution": (0, 1),
    }
    assert set(rows[0]) == RATE_KEYS
    only = json.loads(
        qbs("outcomes", "rates", "--where", "persona=ic", "--since", "2026-03-03T00:00:00Z", "--json").stdout
    )
    assert [(row["question_type"], row["resolved"]) for row in only] == [("impact", 1)]
    shown = qbs("outcomes", "rates", "--by", "question_type,persona").stdout
    assert shown.splitlines()[0].split()[:3] == ["QUESTION_TYPE", "PERSONA", "RESOLVED"]
    assert "In no rate: 0 pending" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "colour"), "no dimension 'colour'"),
        (("--where", "stage"), "is not DIMENSION=WORD"),
        (("--where", "stage=nowhere"), "no stage 'nowhere'"),
        (("--since", "2026-03-03"), "lacks its zone"),
        (("--type", "fax"), "fax is none of"),
    ],
)
def test_what_cannot_be_asked_is_said(qbs, home, options, said):
    refused = qbs("outcomes", "rates", *options)
    assert refused.exit_code != 0
    assert said in refused.stderr


@pytest.mark.parametrize(
    "command",
    [("rates",), ("sync",), ("import", "outcomes.csv"), ("what-if", "--policy", "always:impact")],
    ids=lambda command: command[0],
)
def test_a_tenant_without_a_name_is_refused_and_not_taken_for_the_one_of_the_settings(qbs, home, command):
    refused = qbs("outcomes", *command, "--tenant", " ")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "name a tenant, or leave it out" in " ".join(refused.stderr.split())


def test_the_simulated_world_says_that_it_is_simulated(qbs, home):
    shutil.copytree(SHIPPED, build_services().shipped / "simulated_outcomes", dirs_exist_ok=True)
    for tenant in ("simulated", "Simulated", str(tenant_uuid("simulated"))):
        shown = qbs("outcomes", "rates", "--tenant", tenant).stdout
        assert "Simulated: no customer said any of this." in shown
        assert len(shown.splitlines()) == 7
    rates = json.loads(qbs("outcomes", "rates", "--tenant", "simulated", "--json").stdout)
    assert all(each["simulated"] is True for each in rates)
    assert "no resolved outcomes" in qbs("outcomes", "rates").stdout
