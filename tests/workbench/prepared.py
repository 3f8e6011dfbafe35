"""A small QBS_HOME with known conversations and finished runs, made by the real runner and a scripted analyzer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from engine.guardrails import guard
from engine.model.analysis import Analysis, Expansion, Extraction, FallbackReason, Question, Source
from engine.model.conversation import Channel, Contact, Conversation, Persona, Speaker, StageChange, Turn
from engine.model.qbs import (
    EngagementSignal,
    ExpansionTrigger,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import AnySignal, Dimension, Evidence, ListSignal, Signal, qualification_from
from engine.model.state import ConversationState
from evals.labels import TurnLabel
from evals.library import load_dataset
from evals.records import RunSpec, RunStatus, TurnRecord, Variant
from evals.replay import replay
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.manifest import new_manifest
from evals.runs.rows import RunRow
from workbench.presenters.sides import Side

ResultT = TypeVar("ResultT")

DATASET = "small"
MODEL = "a-model-4"
HOSTILE = (
    "# Not a heading\n- not a list\n1. not numbered\n> not a quote\n| a | b |\n|---|---|\n    not code\n\n"
    "<script>alert(1)</script> <b>not bold</b> **not bold** _not slanted_ ~~not struck~~ `not code`\n"
    "[not a link](https://evil.example) ![no image](https://evil.example/x.png) https://evil.example www.evil.example\n"
    "me@evil.example :smile: :material/home: :material_home: :streamlit: :red[not red] :blue-badge[no badge] $x^2$ "
    "$$y$$ a -> b <- c -- d >= e &amp; &#65; \\* :help[no help]"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the script concludes from one customer turn: dimension -> (value, verbatim quote), and the question."""

    found: dict[Dimension, tuple[str, str]]
    question: str
    kind: QBSQuestionType = QBSQuestionType.PAIN_FUNNEL
    engagement: EngagementSignal = EngagementSignal.FACTUAL
    depth: PainDepthLevel = PainDepthLevel.SURFACE
    person: str | None = None


def conversations() -> tuple[Conversation, ...]:
    """A carrier that opens up and then has enough, twice, and a conversation whose customer writes markup."""
    carrier = _carrier()
    again = carrier.model_copy(update={"id": "carrier-again", "title": "The same carrier again"})
    return (carrier, again, _hostile())


def _carrier() -> Conversation:
    return Conversation(
        id="carrier",
        title="Carrier that re-keys its orders",
        account="Brontë & Sons Haulage",
        industry="Logistics",
        offering="Order intake software.",
        contact=Contact(name="Nadia Okafor", title="Operations Manager", email="nadia@bronte.example"),
        persona=Persona.MANAGER,
        channel=Channel.EMAIL,
        turns=_turns(
            ("seller", "Hi Nadia, what does a Monday look like on your desk?"),
            ("customer", "We re-key every order by hand. It takes two days a week."),
            ("seller", "And when a wrong order goes out?"),
            (
                "customer",
                "Last month a wrong order cost us €40,000. My boss, Tom Reyes, was furious.\n\nI barely sleep.",
            ),
            ("seller", "Who else sees this?"),
            ("customer", "Enough questions for today. Please just send me something to read."),
        ),
        stage_changes=(StageChange(after_turn=2, to="discovery"),),
    )


def _hostile() -> Conversation:
    return Conversation(
        id="hostile",
        title="A *customer* who writes <markup> :smile:",
        account="[Example](https://evil.example)",
        contact=Contact(name="Robert `Tables`"),
        persona=Persona.C_SUITE,
        channel=Channel.CHAT,
        turns=_turns(("seller", "Hello?"), ("customer", HOSTILE)),
    )


_SCRIPT = {
    ("carrier", 1): Said(
        {
            Dimension.NEED: ("stop typing orders twice", "We re-key every order by hand"),
            Dimension.PAIN: ("two days a week lost to re-keying", "It takes two days a week"),
            Dimension.BUDGET: ("approved", "the budget is approved"),
        },
        "Two days a week?",
    ),
    ("carrier", 3): Said(
        {
            Dimension.METRICS: ("€40,000 for one wrong order", "a wrong order cost us €40,000"),
            Dimension.PAIN: ("wrong orders go out", "I barely sleep"),
        },
        "It sounds like this follows you home. What would a quiet month change? And who would notice first?",
        kind=QBSQuestionType.IMPACT,
        engagement=EngagementSignal.EMOTIONAL_LANGUAGE,
        depth=PainDepthLevel.EMOTIONAL,
        person="Tom Reyes",
    ),
    ("carrier", 5): Said(
        {}, "What is behind that?", engagement=EngagementSignal.RESISTANT, depth=PainDepthLevel.EMOTIONAL
    ),
    ("hostile", 1): Said(
        {Dimension.NEED: ("**nothing** [at all](https://evil.example)", "[not a link](https://evil.example)")},
        "Is :smile: what you meant by $x^2$?",
    ),
}  # fmt: skip


class ScriptedAnalyzer:
    """Answers from the script.

    As `recorded` it has a model's name, and no recording of the last turn; as `failing` it fails at the second;
    as `unanswered` nobody answers at all.
    """

    def __init__(self, conversation: Conversation, variant: str) -> None:
        self._conversation = conversation
        self._variant = variant

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        if self._variant == "failing" and turn.index == 3:
            raise ZeroDivisionError
        said = _SCRIPT[self._conversation.id.removesuffix("-again"), turn.index]
        return guard(state, turn, history, _analysis(said, turn, self._variant, self._source(turn)))

    def _source(self, turn: Turn) -> Source:
        if self._variant == "unanswered":
            return Source(kind="rules", model=MODEL, fallback_reason=FallbackReason.CONNECTION)
        if self._variant != "recorded":
            return Source(kind="rules", latency_ms=0.4)
        if turn.index == 5:
            return Source(kind="rules", model=MODEL, fallback_reason=FallbackReason.NO_RECORDING)
        return Source(
            kind="recorded",
            model=MODEL,
            prompt="qbs_analysis@1a2b3c4d",
            latency_ms=412,
            tokens_in=1204,
            tokens_out=86,
            cost_usd=0.0021,
            attempts=1,
        )


def prepare(home: Path, variants: Sequence[str] = ("rules", "recorded")) -> tuple[str, ...]:
    """Write the data set and a finished run of each variant below `home`; the ids of the runs."""
    folder = home / "conversations" / DATASET
    folder.mkdir(parents=True)
    lines = (conversation.model_dump_json() for conversation in conversations())
    (folder / "conversations.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "labels.jsonl").write_text("".join(f"{json.dumps(label)}\n" for label in _LABELS), encoding="utf-8")
    return tuple(add_run(home, variant) for variant in variants)


def add_run(home: Path, variant: str, name: str = DATASET) -> str:
    """A finished run of `variant` over the data set of this name; its id."""
    return _on_another_thread(lambda: _add_run(home, variant, name))


async def _add_run(home: Path, variant: str, name: str) -> str:
    dataset = load_dataset(home / "conversations" / name)
    spec = RunSpec(
        dataset=name,
        dataset_hash=dataset.content_hash,
        conversation_ids=tuple(dataset.hashes),
        variant=Variant(name=variant, fast_model=MODEL if variant == "recorded" else None),
        engine_hash="0" * 64,
    )
    run_folder = RunFolder.create(home / "runs", new_manifest(spec, dataset.conversations))
    await run(run_folder, dataset.conversations, lambda conversation, _: ScriptedAnalyzer(conversation, variant))
    return run_folder.run_id


def _turns(*said: tuple[str, str]) -> tuple[Turn, ...]:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return tuple(
        Turn(
            index=index,
            speaker=Speaker(speaker),
            name="Sam Whitlock" if speaker == "seller" else None,
            text=text,
            time=start + timedelta(hours=index),
        )
        for index, (speaker, text) in enumerate(said)
    )


def _analysis(said: Said, turn: Turn, variant: str, source: Source) -> Analysis:
    """What the script says; the rules find one dimension less than the recordings."""
    kept = dict(list(said.found.items())[: None if variant == "recorded" else 2])
    signals = {dimension: _signal(dimension, value, quote, turn) for dimension, (value, quote) in kept.items()}
    person = None if said.person is None else ExpansionTrigger(
        mentioned_name_or_role=said.person,
        context_quote="My boss, Tom Reyes, was furious.",
        relationship_to_contact="boss",
    )  # fmt: skip
    recommendation = QBSQuestionRecommendation(
        question_type=said.kind,
        meddic_bant_target=Dimension.PAIN,
        voss_delivery=VossDelivery.LABEL if variant == "recorded" else VossDelivery.MIRROR,
        suggested_question=said.question,
        rationale="The customer has just named it.",
        engagement_signal=said.engagement,
        pain_depth=said.depth,
        confidence=0.62,
    )
    return Analysis(
        extraction=Extraction(found=qualification_from(signals, overall_confidence=0.5), source=source),
        question=Question(recommendation=recommendation, source=source),
        expansion=Expansion(triggers=() if person is None else (person,), source=source),
    )


def _signal(dimension: Dimension, value: str, quote: str, turn: Turn) -> AnySignal:
    evidence = (Evidence(quote=quote, turn=turn.index),)
    if dimension is Dimension.DECISION_CRITERIA:
        return ListSignal(values=(value,), confidence=0.7, evidence=evidence)
    return Signal(value=value, confidence=0.7, evidence=evidence)


def conversation(conversation_id: str) -> Conversation:
    return next(item for item in conversations() if item.id == conversation_id)


def side(variant: str, conversation_id: str = "carrier") -> Side:
    """The prepared run of `variant`, without any file."""
    return Side.of(variant, f"{variant}-run", _on_another_thread(lambda: _records(variant, conversation_id)))


def _on_another_thread(work: Callable[[], Coroutine[None, None, ResultT]]) -> ResultT:
    """What it answers. A browser test has an event loop on this thread already."""
    with ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(lambda: asyncio.run(work())).result()


async def _records(variant: str, conversation_id: str) -> list[TurnRecord]:
    item = conversation(conversation_id)
    return [record async for record in replay(item, ScriptedAnalyzer(item, variant), run_id=f"{variant}-run")]


def label(turn: int) -> TurnLabel:
    """The prepared label of a turn of the carrier."""
    return next(TurnLabel.model_validate(item) for item in _LABELS if item["turn"] == turn)


def run_row(run_id: str = "a-run", variant: str = "rules", **changes: object) -> RunRow:
    """A complete run as the index lists it."""
    row = RunRow(
        run_id=run_id,
        status=RunStatus.COMPLETE,
        dataset=DATASET,
        dataset_hash="0" * 64,
        variant=variant,
        reasoning_model=None,
        fast_model=None,
        state_mode="carried",
        samples=1,
        conversations=3,
        turns_expected=7,
        created_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        engine_hash="0" * 64,
        commit="0123456789abcdef",
        dirty=False,
        turns=7,
        failures=0,
        fallbacks=0,
        tokens_in=0,
        tokens_out=0,
        cost_usd=0.0,
        problem=None,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


_LABELS = [
    {
        "conversation_id": "carrier",
        "turn": turn,
        "engagement": engagement,
        "pain_depth": depth,
        "dimensions": dimensions,
        "people": people,
        "back_off": back_off,
        "question_types": types,
    }
    for turn, engagement, depth, dimensions, people, back_off, types in (
        (1, "factual", "surface", [{"dimension": "pain", "value": "re-keying", "quote": "two days a week"}], [], False,
         ["pain_funnel", "impact"]),
        (3, "emotional_language", "emotional", [{"dimension": "metrics", "value": "€40,000", "quote": "€40,000"}],
         [{"mention": "Tom Reyes", "quote": "Tom Reyes"}], False, ["solution", "confirmation"]),
        (5, "resistant", "emotional", [], [], True, ["confirmation"]),
    )
]  # fmt: skip
