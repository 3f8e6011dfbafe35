"""What the Live page says about the row, tenants, steps, replies, outcomes, choices: small values as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engine import memory
from engine.guardrails import guard
from engine.model.analysis import FallbackReason, Source
from engine.model.conversation import Channel, DealStage, Persona, Speaker, Turn
from engine.model.qbs import EngagementSignal, PainDepthLevel, VossDelivery
from engine.model.qualification import Dimension
from engine.outcomes import OfferedChoice, Outcome, OutcomeDetails, OutcomeStatus, OutcomeType, StandingOutcome
from engine.rules import analyze_by_rules
from engine.state.repository import SavedState
from evals.library import load_dataset
from tests.workbench.live_talk import CARRIER, OPENING, kept
from tests.workbench.prepared import conversations, prepare
from workbench.presenters import live_glance as glance
from workbench.presenters.live_answers import answer_choices, who_answers
from workbench.presenters.live_contacts import ListedContact, default_script, new_contact, option_of, options
from workbench.presenters.live_conversation import talk_of
from workbench.presenters.live_glance import Standing
from workbench.presenters.live_lines import LINES, Line
from workbench.presenters.live_outcome import calibrated_word, outcome_word
from workbench.presenters.live_reply import origin, what_became
from workbench.presenters.live_row import Size, qbs_size, row
from workbench.presenters.live_script import opening
from workbench.presenters.live_stages import Moved
from workbench.presenters.live_tenants import Sight, seen
from workbench.presenters.live_thinking import STEPS, Step, StepTaken, summary

_FELT = (EngagementSignal.RESISTANT, EngagementSignal.EMOTIONAL_LANGUAGE)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_the_row_shows_what_the_newest_message_changed_and_nothing_else() -> None:
    state, turns = kept(CARRIER.turns[:4])
    before = talk_of(state, turns).side.before(3)
    columns = {column.name: column for column in row(SavedState(state, 7, NOON), before)}
    assert (columns["interaction_count"].before, columns["interaction_count"].value) == ("1", "2")
    assert columns["tenant_id"].before is None
    assert columns["deal_stage"].before is None
    assert columns["qualification_data"].before is not None
    assert columns["version"].value == "7"
    assert columns["updated_at"].value == "2 Mar 2026, 12:00"


def test_before_anything_was_said_no_column_has_changed() -> None:
    assert all(column.before is None for column in row(SavedState(OPENING, 1, NOON), None))


def test_the_engines_memory_has_a_size_and_a_limit() -> None:
    state, _ = kept()
    assert qbs_size(state) == Size(memory.size(state.metadata["qbs"]), 5 * 1024)
    assert qbs_size(OPENING).used == memory.size({})


@pytest.mark.parametrize(("used", "share"), [(0, 0.0), (256, 0.25), (1024, 1.0), (4096, 1.0)])
def test_a_share_is_never_more_than_all(used: int, share: float) -> None:
    assert Size(used, 1024).share == share


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"conversation_states": 0, "messages": 0}, ("0 rows",)),
        ({"conversation_states": 1, "messages": 1204}, ("1 in conversation_states", "1,204 in messages")),
    ],
)
def test_what_a_tenant_sees_is_said_in_rows(rows: dict[str, int], words: tuple[str, ...]) -> None:
    assert seen(Sight("demo", "an-id", rows)) == words


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "\u00a0"),
        ((StepTaken(Step.PREPARING, None),), "The libraries that ask models are being loaded; only the first time."),
        ((StepTaken(Step.ACCEPTING, 3.0), StepTaken(Step.READING, None)), "\u00a0"),
        ((StepTaken(Step.ACCEPTING, 3.0),), "3 ms, a seller's message is kept and not read"),
        ((StepTaken(Step.ACCEPTING, 3.0), StepTaken(Step.READING, 900.0), StepTaken(Step.KEEPING, 300.0)), "1.2 s"),
    ],
)
def test_steps_are_summed_up_once_they_are_done(steps: tuple[StepTaken, ...], words: str) -> None:
    assert summary(steps) == words


def test_every_step_that_is_shown_is_explained() -> None:
    assert set(STEPS) == set(Step) - {Step.PREPARING}


@pytest.mark.parametrize(
    ("source", "name", "fallback"),
    [
        (Source(kind="rules"), "Fixed rules, no model", False),
        (Source(kind="llm", model="a-model-4"), "Asked a-model-4", False),
        (Source(kind="recorded", model="a-model-4"), "Recorded answer of a-model-4", False),
        (
            Source(kind="rules", model="a-model-4", fallback_reason=FallbackReason.DEADLINE),
            "Rules in the model's place: deadline",
            True,
        ),
    ],
)
def test_who_wrote_a_draft_is_said_plainly(source: Source, name: str, fallback: bool) -> None:
    found = origin(source)
    assert (found.name, found.fallback) == (name, fallback)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((), ""),
        (("customer", "And?"), ""),
        (("seller", "The draft."), "Sent as turn 6."),
        (("seller", "Other words."), "The seller answered in their own words, in turn 6."),
    ],
)
def test_what_became_of_a_draft_is_said(said: tuple[str, str] | tuple[()], words: str) -> None:
    turns = (Turn(index=6, speaker=Speaker(said[0]), text=said[1]),) if said else ()
    talk = CARRIER.model_copy(update={"turns": (*CARRIER.turns, *turns)})
    assert what_became(talk, 5, "The draft.") == words


def standing(status: OutcomeStatus, *, turn: int = 5, sent: bool | None = None, **chosen: object) -> StandingOutcome:
    details = OutcomeDetails(
        target=Dimension.PAIN,
        delivery=VossDelivery.LABEL,
        engagement=EngagementSignal.FACTUAL,
        pain_depth=PainDepthLevel.SURFACE,
        stage=DealStage.DISCOVERY,
        persona=Persona.MANAGER,
        interaction_count=3,
        turn=turn,
        analyzer="rules",
        **chosen,
    )
    outcome = Outcome(
        outcome_id=uuid4(),
        state_id=uuid4(),
        action_type="qbs_impact",
        outcome_type=OutcomeType.EMAIL_ENGAGEMENT,
        predicted_confidence=0.6,
        recommended_at=NOON,
        closes_at=NOON + timedelta(hours=24),
        recorded_at=NOON,
        details=details,
    )
    return StandingOutcome.model_construct(outcome=outcome, status=status, sent=sent)


@pytest.mark.parametrize("status", list(OutcomeStatus))
def test_every_outcome_has_a_word(status: OutcomeStatus) -> None:
    word = outcome_word(standing(status), 5)
    assert word is not None
    assert word.name
    assert word.meaning


def test_a_question_that_went_out_is_said_to_be_sent() -> None:
    word = outcome_word(standing(OutcomeStatus.PENDING, sent=True), 5)
    assert word is not None
    assert word.name == "Sent, outcome pending"
    assert "3 Mar 2026, 12:00" in word.meaning


@pytest.mark.parametrize(
    ("probabilities", "says"),
    [
        ((0.925, 0.075), "chosen at random among 2; this one had a chance of 92 %"),
        ((0.004, 0.996), "this one had a chance of less than 1 %"),
        ((1.0,), None),  # there was nothing else to choose
        ((), None),
    ],
)
def test_a_question_that_was_chosen_at_random_says_so(probabilities: tuple[float, ...], says: str | None) -> None:
    choices = tuple(
        OfferedChoice(question_type="impact", target="pain", delivery="label", probability=share)
        for share in probabilities
    )
    word = outcome_word(standing(OutcomeStatus.PENDING, propensity=next(iter(probabilities), None), choices=choices), 5)
    assert word is not None
    assert (says in word.meaning) if says else ("random" not in word.meaning)


@pytest.mark.parametrize(
    ("turn", "details", "name"),
    [
        (5, {"calibration": "3f9a0c", "calibrated_confidence": 0.41}, "41 % calibrated"),
        (5, {}, None),  # no calibration speaks of it
        (3, {"calibration": "3f9a0c", "calibrated_confidence": 0.41}, None),  # another question
    ],
)
def test_a_calibrated_confidence_is_said_beside_the_engines_own(
    turn: int, details: dict[str, Any], name: str | None
) -> None:
    word = calibrated_word(standing(OutcomeStatus.PENDING, turn=turn, **details), 5)
    assert (word and word.name) == name
    assert word is None or "3f9a0c" in word.meaning


def test_the_outcome_of_another_question_is_not_shown() -> None:
    assert outcome_word(standing(OutcomeStatus.PENDING, turn=3), 5) is None
    assert outcome_word(None, 5) is None


def test_a_move_says_when_and_by_whom() -> None:
    moved = Moved(DealStage.PROSPECTING, DealStage.DISCOVERY, NOON, "by the presenter")
    assert moved.about == "2 Mar 2026, 12:00, by the presenter"
    assert Moved(DealStage.PROSPECTING, DealStage.DISCOVERY, NOON, None).about == "2 Mar 2026, 12:00"


@pytest.mark.parametrize(
    ("recorded", "models", "choices"),
    [
        (True, None, ["automatic", "recorded", "rules"]),
        (False, None, ["automatic", "rules"]),
        (True, "a-model-4", ["automatic", "recorded", "rules", "llm"]),
    ],
)
def test_only_what_is_there_may_answer(recorded: bool, models: str | None, choices: list[str]) -> None:
    offered = answer_choices(recorded=recorded, models=models)
    assert list(offered) == choices
    assert all(word.name and word.meaning for word in offered.values())


@pytest.mark.parametrize(
    ("chosen", "recorded", "models", "who"),
    [
        ("automatic", True, False, "recorded"),
        ("automatic", True, True, "recorded"),
        ("automatic", False, False, "rules"),
        ("automatic", False, True, "llm"),
        ("rules", True, True, "rules"),
        ("llm", True, True, "llm"),
        ("recorded", False, True, "recorded"),
    ],
)
def test_who_answers_is_chosen_or_follows_from_what_is_said(
    chosen: str, recorded: bool, models: bool, who: str
) -> None:
    assert who_answers(chosen, recorded=recorded, models=models) == who


def test_ones_own_contacts_come_before_the_scripted_ones_and_takes_are_one() -> None:
    take = opening(CARRIER, 3)
    listed = [ListedContact(take.account_id, take.contact_id), ListedContact("Acme", "Ida")]
    assert list(options(conversations(), listed, None).values()) == [
        "Ida, Acme",
        "A *customer* who writes <markup> :smile: · hostile",
        "Carrier that re-keys its orders · carrier",
        "The same carrier again · carrier-again",
    ]


def test_somebody_to_whom_nothing_was_said_yet_can_be_wanted() -> None:
    wanted = option_of("Acme", "Ida")
    assert next(iter(options(conversations(), [], wanted))) == wanted
    assert ListedContact.of_option(wanted) == ListedContact("Acme", "Ida")


def test_a_new_contact_is_known_by_name_and_company() -> None:
    state = new_contact("Acme", "Ida", Persona.C_SUITE)
    talk = talk_of(state, ())
    assert (talk.conversation.contact.name, talk.conversation.account) == ("Ida", "Acme")
    assert (state.persona_type, state.deal_stage, state.last_channel) == (
        Persona.C_SUITE,
        DealStage.PROSPECTING,
        Channel.CHAT,
    )


def test_one_begins_with_a_chat(tmp_path: Path) -> None:
    prepare(tmp_path, [])
    assert default_script(load_dataset(tmp_path / "conversations" / "small")) == "hostile"


def test_at_a_glance_what_moved_is_set_off_from_what_was_known() -> None:
    talk = talk_of(*kept(CARRIER.turns[:4]))
    standings = {glimpse.word.name: glimpse.standing for glimpse in glance.dimensions(talk)}
    assert standings["Metrics"] is Standing.MOVED
    assert standings["Champion"] is Standing.UNKNOWN
    assert glance.people(talk).standing is Standing.MOVED
    assert "Tom Reyes" in glance.people(talk).word.meaning
    after = talk_of(*kept())
    assert {glimpse.word.name: glimpse.standing for glimpse in glance.dimensions(after)}["Metrics"] is Standing.KNOWN
    assert glance.people(after).standing is Standing.KNOWN


def test_before_anything_was_said_nothing_is_known() -> None:
    talk = talk_of(OPENING, ())
    assert {glimpse.standing for glimpse in (*glance.dimensions(talk), glance.people(talk))} == {Standing.UNKNOWN}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.shows)
def test_every_suggested_line_makes_the_engine_show_something(line: Line) -> None:
    turn = Turn(index=0, speaker=Speaker.CUSTOMER, text=line.words)
    analysis = guard(OPENING, turn, (), analyze_by_rules(OPENING, turn, ()))
    engagement = analysis.question.recommendation.engagement_signal
    assert analysis.extraction.found.identified or engagement in _FELT


def test_one_suggested_line_gives_orders_to_the_machine_and_is_not_trusted() -> None:
    turn = Turn(index=0, speaker=Speaker.CUSTOMER, text=LINES[-1].words)
    analysis = guard(OPENING, turn, (), analyze_by_rules(OPENING, turn, ()))
    assert [change.rule for change in analysis.changes] == ["addresses_the_machine"]
