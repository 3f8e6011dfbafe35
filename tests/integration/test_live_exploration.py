"""Exploration in production: recorded with its probability, the same when delivered again, and nothing unless asked."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from engine.analyzers import RulesAnalyzer
from engine.exploration import Exploration
from engine.live import LiveEngine, Message, TurnTaken, exploring
from engine.model.conversation import Speaker
from engine.outcomes import OutcomeType, StandingOutcome, list_outcomes
from engine.state.database import Database
from tests.integration.live_turns import ACCOUNT, CONTACT, WHERE, assert_all_counted_once, kept
from workbench.services import build_services
from workbench.settings import load_settings

NO_FILE = Path("no .env")
TEXT = "The line stops every night and it costs us two hours of rework each time. We need fewer stops."
EXPLORATION = Exploration(0.5)


def message(number: int, index: int | None = None) -> Message:
    return Message(id=f"m-{number}", text=TEXT, speaker=Speaker.CUSTOMER, index=index)


async def outcomes(database: Database, tenant: UUID) -> list[StandingOutcome]:
    async with database.tenant(tenant).begin() as session:
        page = await list_outcomes(session, limit=500)
    return [each for each in page.outcomes if each.outcome.outcome_type is OutcomeType.EMAIL_ENGAGEMENT]


async def test_what_was_chosen_is_recorded_with_everything_that_it_was_chosen_from(
    database: Database, tenant: UUID
) -> None:
    engine = LiveEngine(database, RulesAnalyzer(), exploration=EXPLORATION)
    usual = 0
    for number in range(12):
        taken = await engine.take_turn(tenant, ACCOUNT, f"contact-{number}", message(number))
        assert taken.chosen is not None
        assert taken.analysis is not None
        usual += taken.chosen.usual
        assert taken.analysis.question.recommendation == taken.chosen.recommendation
        (own,) = [each for each in await outcomes(database, tenant) if each.outcome.outcome_id == taken.outcome_id]
        details = own.outcome.details
        assert details.propensity == pytest.approx(taken.chosen.propensity)
        assert sum(choice.probability for choice in details.choices) == pytest.approx(1)
        chosen = details.choices[taken.chosen.place]
        assert (f"qbs_{chosen.question_type}", chosen.target, chosen.delivery, chosen.probability) == (
            own.outcome.action_type, details.target, details.delivery, details.propensity,
        )  # fmt: skip
        assert len(details.choices) > 2
    assert 0 < usual < 12


async def test_without_exploration_nothing_is_random_and_no_propensity_is_recorded(
    database: Database, tenant: UUID
) -> None:
    taken = await LiveEngine(database, RulesAnalyzer()).take_turn(tenant, *WHERE, message(1))
    (own,) = await outcomes(database, tenant)
    assert taken.chosen is None
    assert own.outcome.details.propensity is None
    assert own.outcome.details.choices == ()
    assert "choices" not in own.outcome.details.model_dump()


async def question_of(engine: LiveEngine, tenant: UUID, number: int) -> TurnTaken:
    return await engine.take_turn(tenant, ACCOUNT, CONTACT, message(number))


async def test_a_message_that_is_delivered_again_is_answered_alike_and_recorded_once(
    database: Database, tenant: UUID
) -> None:
    engine = LiveEngine(database, RulesAnalyzer(), exploration=EXPLORATION)
    first = [await question_of(engine, tenant, number) for number in range(5)]
    again = [await question_of(engine, tenant, number) for number in range(5)]
    assert [taken.analysis for taken in again] == [taken.analysis for taken in first]
    assert all(taken.duplicate and taken.outcome_id for taken in again)
    assert len(await outcomes(database, tenant)) == 5
    assert all(each.outcome.details.propensity for each in await outcomes(database, tenant))
    assert_all_counted_once(await kept(engine, tenant), [f"m-{number}" for number in range(5)])


async def test_a_message_that_belongs_before_others_has_no_propensity(database: Database, tenant: UUID) -> None:
    """It is folded into another state than it was chosen in, where other questions would have been acceptable."""
    engine = LiveEngine(database, RulesAnalyzer(), exploration=EXPLORATION)
    await engine.take_turn(tenant, *WHERE, message(1, index=5))
    late = await engine.take_turn(tenant, *WHERE, message(2, index=1))
    known = {each.outcome.details.turn: each.outcome.details.propensity for each in await outcomes(database, tenant)}
    assert late.chosen is None
    assert known[1] is None
    assert known[5]
    assert_all_counted_once(await kept(engine, tenant), ["m-1", "m-2"])


async def test_a_defect_in_exploring_costs_the_random_choice_and_not_the_message(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("no such thing")

    monkeypatch.setattr(exploring, "explore", broken)
    taken = await LiveEngine(database, RulesAnalyzer(), exploration=EXPLORATION).take_turn(tenant, *WHERE, message(1))
    (own,) = await outcomes(database, tenant)
    assert taken.saved
    assert taken.analysis is not None
    assert own.outcome.details.propensity is None


@pytest.mark.parametrize(
    ("told", "random"), [({}, False), ({"QBS_EXPLORATION": "0"}, False), ({"QBS_EXPLORATION": "0.3"}, True)]
)
async def test_the_setting_alone_turns_it_on(
    database: Database, tenant: UUID, told: dict[str, str], random: bool
) -> None:
    engine = build_services(load_settings(told, NO_FILE)).live_engine(database, RulesAnalyzer())
    taken = await engine.take_turn(tenant, *WHERE, message(1))
    assert (taken.chosen is not None) is random
