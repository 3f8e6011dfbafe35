"""Questions chosen at random: as often as is recorded, the same when delivered again, and never against a guardrail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.advance import advance
from engine.exploration import Chosen, Exploration, candidates, choose, explore
from engine.folding import KeptTurn, fold
from engine.guardrails import guard
from engine.guardrails.conduct import NO_CLAIM
from engine.model.analysis import Analysis, FallbackReason, Source
from engine.model.conversation import Turn
from engine.model.qbs import EngagementSignal, PainDepthLevel, PainFunnelState, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.model.state import ConversationState, opening_state
from engine.pain import PainDepthTracker
from engine.rules import analyze_by_rules
from engine.wording import questions
from evals.library import load_dataset
from tests.engine.values import analysis, customer, recommendation, seller, signal, state

SHIPPED = Path(__file__).parents[2] / "datasets" / "b2b_discovery"
TURN = customer("The line stops at night and we lose two hours each time.", index=3)
HISTORY = (seller("How is it going?", 0), customer("So so.", 1), seller("I see.", 2))
NEED_KNOWN = {Dimension.NEED: signal("fewer stops", 0.9, ("we lose two hours", 3))}

Place = tuple[ConversationState, Turn, tuple[Turn, ...], Analysis]


def guarded(raw: Analysis, before: ConversationState | None = None) -> Analysis:
    return guard(before or state(interaction_count=3), TURN, HISTORY, raw)


def offered(raw: Analysis, before: ConversationState | None = None) -> list[tuple[str, str, str]]:
    before = before or state(interaction_count=3)
    found = candidates(before, TURN, HISTORY, guarded(raw, before))
    return [(each.question_type, each.meddic_bant_target, each.voss_delivery) for each in found]


@pytest.fixture(scope="module")
def places() -> tuple[Place, ...]:
    """The customer turns of the shipped development conversations, as the rules carry their states."""

    def walk() -> Iterator[Place]:
        for conversation in load_dataset(SHIPPED).part("dev"):
            before = opening_state(conversation)
            for turn in conversation.customer_turns:
                history = tuple(conversation.before(turn.index))
                found = guard(before, turn, history, analyze_by_rules(before, turn, history))
                yield before, turn, history, found
                before = advance(before, turn, found)

    return tuple(walk())


def test_whatever_could_be_chosen_passes_the_guardrails_as_it_is(places: tuple[Place, ...]) -> None:
    sizes = Counter[int]()
    for before, turn, history, found in places:
        usual, *others = candidates(before, turn, history, found)
        sizes[len(others)] += 1
        assert usual == found.question.recommendation
        for other in others:
            raw = found.raw
            instead = raw.model_copy(update={"question": raw.question.model_copy(update={"recommendation": other})})
            checked = guard(before, turn, history, instead)
            assert checked.question.recommendation == other
            assert not [change for change in checked.changes if change.subject == "question"]
            assert len(questions(other.suggested_question)) == 1
            assert other.confidence == NO_CLAIM
    assert (
        sum(count for others, count in sizes.items() if others) > len(places) / 2
    )  # there is something to choose from


def test_candidates_differ_in_type_target_or_delivery_and_ask_for_what_is_not_well_known(
    places: tuple[Place, ...],
) -> None:
    for before, turn, history, found in places:
        usual, *others = candidates(before, turn, history, found)
        ways = [(one.question_type, one.meddic_bant_target, one.voss_delivery) for one in (usual, *others)]
        assert len(set(ways)) == len(ways)
        after = advance(before, turn, found)
        for other in others:
            if other.meddic_bant_target is not usual.meddic_bant_target:
                assert after.qualification.signal(other.meddic_bant_target).confidence < 0.7


def test_while_the_customer_holds_back_or_shows_feelings_only_the_delivery_varies(places: tuple[Place, ...]) -> None:
    seen = 0
    for before, turn, history, found in places:
        usual, *others = candidates(before, turn, history, found)
        after = PainDepthTracker.load(advance(before, turn, found))
        feels = usual.engagement_signal is EngagementSignal.EMOTIONAL_LANGUAGE
        if feels or usual.engagement_signal is EngagementSignal.RESISTANT or after.backing_off:
            seen += bool(others)
            assert {(one.question_type, one.meddic_bant_target) for one in others} <= {
                (usual.question_type, usual.meddic_bant_target)
            }
    assert seen


BACKING_OFF = PainDepthTracker.save(state(interaction_count=3), PainFunnelState(backing_off=True))
DEEP = PainDepthTracker.save(state(interaction_count=3), PainFunnelState(depth=PainDepthLevel.SURFACE))
EARLY = state(interaction_count=0)
PROBE = {"question_type": QBSQuestionType.PAIN_FUNNEL, "meddic_bant_target": Dimension.PAIN}
CHECK = {"question_type": QBSQuestionType.CONFIRMATION, "meddic_bant_target": Dimension.NEED}


@pytest.mark.parametrize(
    ("found", "before", "there", "not_there"),
    [
        (analysis(**PROBE), DEEP, {"impact", "pain_funnel"}, {"confirmation"}),  # nothing to confirm yet
        (analysis(NEED_KNOWN, **PROBE), DEEP, {"impact", "solution", "confirmation"}, set()),
        (analysis(**PROBE), state(interaction_count=3), {"pain_funnel"}, {"impact", "solution"}),  # no pain, no need
        (analysis(**CHECK), BACKING_OFF, {"confirmation"}, {"pain_funnel", "impact", "solution"}),
        (analysis(**PROBE), BACKING_OFF, {"confirmation"}, {"pain_funnel", "impact", "solution"}),  # guarded
    ],
)
def test_a_type_is_offered_where_there_is_what_it_goes_on_from(
    found: Analysis, before: ConversationState, there: set[str], not_there: set[str]
) -> None:
    types = {question_type for question_type, _, _ in offered(found, before)}
    assert there <= types
    assert not types & not_there


def test_early_on_nothing_that_needs_trust_is_asked_for() -> None:
    trusting = {Dimension.BUDGET, Dimension.AUTHORITY, Dimension.ECONOMIC_BUYER, Dimension.CHAMPION}
    early = offered(analysis(NEED_KNOWN, **PROBE), EARLY)
    assert len(early) > 3
    assert not {target for _, target, _ in early} & trusting


@pytest.mark.parametrize(
    "found",
    [
        analysis(suggested_question="I will send you the summary."),  # asks nothing
        analysis(suggested_question="What happens then? And who sees it?"),  # trimmed by a guardrail
        analysis(**PROBE, engagement_signal=EngagementSignal.RESISTANT),  # turned into giving value
    ],
)
def test_a_message_without_a_question_and_one_that_a_guardrail_changed_stay_as_they_are(found: Analysis) -> None:
    assert len(offered(found)) == 1


def asking(word: str) -> object:
    return recommendation(suggested_question=f"What about {word}?")


@pytest.mark.parametrize(
    ("draw", "place", "propensity"),
    [(0.0, 0, 0.85), (0.8499, 0, 0.85), (0.8501, 1, 0.05), (0.9001, 2, 0.05), (0.9999999, 3, 0.05)],
)
def test_each_candidate_has_its_share_of_the_draws(draw: float, place: int, propensity: float) -> None:
    chosen = choose([asking(word) for word in "abcd"], draw, 0.2)
    assert chosen.place == place
    assert chosen.propensity == pytest.approx(propensity)
    assert sum(offer.probability for offer in chosen.offers) == pytest.approx(1)


def test_a_question_without_any_other_is_certain() -> None:
    assert choose([asking("it")], 0.999, 0.5).propensity == 1.0


def test_propensities_are_the_frequencies_over_many_messages() -> None:
    exploration, found = Exploration(0.4), guarded(analysis(NEED_KNOWN, **PROBE), DEEP)
    of_candidates = candidates(DEEP, TURN, HISTORY, found)
    count = 20_000
    drawn = [choose(of_candidates, exploration.draw("s", f"m-{number}"), 0.4) for number in range(count)]
    seen = Counter(chosen.place for chosen in drawn)
    for place, offer in enumerate(drawn[0].offers):
        spread = (offer.probability * (1 - offer.probability) / count) ** 0.5
        assert abs(seen[place] / count - offer.probability) < 4.5 * spread
    assert {chosen.propensity for chosen in drawn} == {offer.probability for offer in drawn[0].offers}


def explored(message: str, exploration: Exploration, found: Analysis) -> tuple[Analysis, Chosen]:
    return explore(exploration, DEEP, TURN, HISTORY, found, key=("s", message))


def test_the_same_message_gets_the_same_question_and_another_salt_another_draw() -> None:
    found = guarded(analysis(NEED_KNOWN, **PROBE), DEEP)
    names = [f"m-{number}" for number in range(200)]
    first = [explored(name, Exploration(0.5), found)[0] for name in names]
    assert first == [explored(name, Exploration(0.5), found)[0] for name in names]
    assert first != [explored(name, Exploration(0.5, salt="another"), found)[0] for name in names]


def test_an_explored_question_is_folded_again_as_it_was_asked_and_its_words_count_as_the_rules() -> None:
    source = Source(kind="llm", model="m", prompt="question@00000000", attempts=1, cost_usd=0.01)
    raw = analysis(NEED_KNOWN, **PROBE)
    raw = raw.model_copy(update={"question": raw.question.model_copy(update={"source": source})})
    usual = guarded(raw, DEEP)
    seen = set()
    for number in range(100):
        found, chosen = explored(f"m-{number}", Exploration(0.5), usual)
        seen.add(chosen.usual)
        assert found.question.recommendation == chosen.recommendation
        assert advance(DEEP, TURN, found) == fold(DEEP, [KeptTurn(TURN, found)], HISTORY)
        if chosen.usual:
            assert found == usual
        else:
            assert found.question.source == source.model_copy(update={"kind": "rules", "model": None, "prompt": None})
            assert found.extraction == usual.extraction
    assert seen == {True, False}


def test_why_a_model_failed_stays_known() -> None:
    source = Source(kind="rules", model="m", fallback_reason=FallbackReason.TIMEOUT)
    raw = analysis(NEED_KNOWN, **PROBE)
    usual = guarded(raw.model_copy(update={"question": raw.question.model_copy(update={"source": source})}), DEEP)
    sources = {explored(f"m-{number}", Exploration(0.5), usual)[0].question.source for number in range(60)}
    assert sources == {source}


@pytest.mark.parametrize("share", [0.0, -0.1, 0.51, float("nan")])
def test_a_share_is_above_nothing_and_at_most_a_half(share: float) -> None:
    with pytest.raises(ValueError, match="cannot be explored"):
        Exploration(share)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300), name=st.text(max_size=20), interactions=st.integers(0, 60))
def test_no_message_and_no_id_breaks_it(text: str, name: str, interactions: int) -> None:
    before, turn = state(interaction_count=interactions), customer(text, index=3)
    found = guard(before, turn, HISTORY, analyze_by_rules(before, turn, HISTORY))
    explored, chosen = explore(Exploration(0.5), before, turn, HISTORY, found, key=("s", name))
    assert explored.question.recommendation == chosen.recommendation
    assert 0 < chosen.propensity <= 1


def test_the_delivery_of_one_who_holds_back_is_not_given_to_others(places: tuple[Place, ...]) -> None:
    for before, turn, history, found in places:
        usual, *others = candidates(before, turn, history, found)
        if usual.voss_delivery is not VossDelivery.ACCUSATION_AUDIT:
            assert all(other.voss_delivery is not VossDelivery.ACCUSATION_AUDIT for other in others)
