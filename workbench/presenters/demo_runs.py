"""The steps of the guided demo over conversations and their runs: from a message to the prompts that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.report import figures
from evals.report.verdicts import headline
from workbench.demo import DATASET, LABEL, TENANT, DemoFacts, Telling
from workbench.presenters.demo_values import Address, Figure, Step, difference
from workbench.presenters.live_script import opening
from workbench.presenters.prompts_releases import headline as gate_words
from workbench.presenters.words import DIMENSIONS
from workbench.text import count

if TYPE_CHECKING:
    from engine.releases import Release
    from evals.compare import Comparison

NAMES = ("Rules", "Recorded answers")
_NEAREST = 4
CANDIDATE = f"The {LABEL} prompts"


@dataclass(frozen=True, slots=True)
class Production:
    """What stands in Postgres: the release that the demo's tenant is read with (None: shipped prompts), and the take
    of the script that was not played yet. `problem` says why nothing is known.
    """

    release: Release | None = None
    take: int = 1
    problem: str = ""


def live(facts: DemoFacts) -> Step:
    known = facts.records[-1].after.qualification.identified if facts.records else ()
    messages = len(facts.script.customer_turns)
    return Step(
        "live",
        "Live",
        "A customer's message, what is known, and the question",
        1.5,
        f"Press Play: the customer of “{facts.script.title}” speaks, each message fills the board, which holds "
        f"{len(known)} of {len(DIMENSIONS)} dimensions after {count(messages, 'message')}, and each time the engine "
        "says what to ask next.",
        _live_address(facts, 1),
        (Figure("Dimensions known at the end", f"{len(known)} of {len(DIMENSIONS)}", count(messages, "message"),
                _recorded_source(facts)),),
    )  # fmt: skip


def replayed(facts: DemoFacts) -> Step:
    found = facts.telling
    sentence = "Step through it with the arrow keys: on no turn did the recorded answers do better than the rules."
    turn: dict[str, str] = {}
    shown: tuple[Figure, ...] = ()
    if found is not None:
        turn = {"turn": str(found.change.turn)}
        before, after = _alone(found)
        sentence = (
            f"At message {found.message} the recorded answers beat the rules most: “{found.row.metric.title}” is "
            f"{after} there, against {before}; the quotes in the transcript say why."
        )
        shown = (Figure(f"{found.row.metric.title}, this turn: rules, recorded answers", f"{before}, {after}",
                        "1 turn", _recorded_source(facts)),)  # fmt: skip
    return Step(
        "replay",
        "Replay",
        "The same conversation: a model's answers against fixed rules",
        1,
        sentence,
        {
            "dataset": DATASET,
            "conversation": facts.script.id,
            "left": facts.prepared.rules,
            "right": facts.prepared.recorded,
            **turn,
        },
        shown,
    )


def better(facts: DemoFacts) -> Step:
    comparison = facts.model.comparison
    return Step(
        "better",
        "Compare",
        "Is the model better, and could it be luck?",
        1,
        f"{headline(comparison, *NAMES).quality} Bars that stay clear of zero are no luck.",
        {"run": [facts.prepared.rules, facts.prepared.recorded]},
        _compared_figures(comparison, _recorded_source(facts)),
    )


def worse(facts: DemoFacts) -> Step:
    runs = [facts.prepared.rules, facts.prepared.recorded]
    found = facts.worst
    if found is None:
        return Step("worse", "Compare", "Where is it worse?", 1, "On no turn is it worse.", {"run": runs})
    before, after = _alone(found)
    row = found.row
    overall = figures.difference(row.difference.value, row.metric.unit)
    return Step(
        "worse",
        "Compare",
        "Where is it worse?",
        1,
        f"By “{row.metric.title}” ({overall} over all turns: {row.verdict}) message {found.message} of "
        f"“{found.conversation.title}” loses most: {after}, where the rules have {before}.",
        {
            "run": runs,
            "metric": row.metric.name,
            "order": "worse",
            "at": f"{found.conversation.id}:{found.change.turn}",
        },
        (Figure(row.metric.title, difference(row.difference, row.metric.unit), count(row.turns, "turn"),
                _recorded_source(facts)),),
    )  # fmt: skip


def changed_prompt(facts: DemoFacts) -> Step:
    found, wording = facts.prepared.candidate, facts.wording
    title = "A changed prompt, word by word"
    if found is None or wording is None:
        return Step("prompt", "Prompts", title, 1, facts.prepared.missing, {}, ready=False)
    return Step(
        "prompt",
        "Prompts",
        title,
        1,
        f"{found.version.name.capitalize()} {found.version.version} beside the shipped {found.shipped.version}: "
        f"{count(wording.added, 'word')} more and {wording.removed:,} less, each in its place.",
        {
            "prompt": found.version.name,
            "version": found.version.hash[:8],
            "against": found.shipped.hash[:8],
            "dataset": DATASET,
            "run": facts.prepared.recorded,
            "conversation": facts.script.id,
            "turn": str(facts.telling.change.turn if facts.telling else facts.records[0].turn),
            "tab": "difference",
        },
        (Figure("Words added and removed", f"{wording.added:,} and {wording.removed:,}", "1 prompt",
                f"{found.version.ref} against {found.shipped.ref}"),),
    )  # fmt: skip


def evidence(facts: DemoFacts) -> Step:
    title = "Tried on every conversation: the evidence"
    if facts.tried is None or facts.prepared.calmer is None:
        return Step("evidence", "Compare", title, 1, facts.prepared.missing, {}, ready=False)
    return Step(
        "evidence",
        "Compare",
        title,
        1,
        headline(facts.tried.comparison, "the shipped ones", CANDIDATE).quality,
        {"run": [facts.prepared.recorded, facts.prepared.calmer]},
        _compared_figures(facts.tried.comparison, _recorded_source(facts)),
    )


def promotion(facts: DemoFacts) -> Step:
    title = "Into production, if the gate lets it pass"
    decision = facts.decision
    if decision is None:
        return Step("promote", "Prompts", title, 1, facts.prepared.missing, {}, ready=False)
    because = "; ".join(finding.reason for finding in decision.blocking)
    if decision.passed:
        advice = "“Put into production” does it."
    else:
        advice = "“Override the gate” takes a reason, and that stays with the release for ever."
    return Step(
        "promote",
        "Prompts",
        title,
        1,
        f"The gate says “{gate_words(decision)}”{f': {because}' if because else ''}. {advice}",
        {"tab": "release", "candidate": LABEL, "tenant": TENANT},
        tuple(
            Figure("Labelled turns that both answered", f"{own.turns:,}", count(own.conversations, "conversation"),
                   f"{own.candidate} against {own.production}")
            for own in decision.runs
        ),
    )  # fmt: skip


def in_use(facts: DemoFacts, production: Production) -> Step:
    found, release = facts.prepared.candidate, production.release
    if production.problem:
        sentence = production.problem
    elif found is not None and release is not None and release.prompt_set == found.prompts.hash:
        forced = ", although the gate did not let it pass" if release.is_overridden else ""
        sentence = (
            f"Press Play: since release {release.number}{forced}, the engine answers with "
            f"{found.version.ref}, as each conclusion says under “Where it came from”."
        )
    elif release is not None:
        sentence = f"Press Play: the engine answers with the prompts of release {release.number}, {release.short}."
    else:
        sentence = (
            "Nothing was released yet, so that the engine answers with the shipped prompts; release in the step "
            "before, come back, and press Play."
        )
    return Step(
        "in use",
        "Live",
        "What is in production is what answers",
        0.5,
        sentence,
        _live_address(facts, production.take),
        ready=not production.problem,
    )


def _compared_figures(comparison: Comparison, source: str) -> tuple[Figure, ...]:
    """The measures of quality that are told apart; if there are none, those that come nearest. The surest first."""
    from evals.inference.verdict import Verdict
    from evals.report.verdicts import of_verdict

    rows = [row for verdict in (Verdict.BETTER, Verdict.WORSE) for row in of_verdict(comparison, verdict)]
    if not rows:
        open_ = of_verdict(comparison, Verdict.NOT_ENOUGH_DATA)
        rows = [row for row in open_ if row.difference.value is not None][:_NEAREST]
    n = f"of {count(comparison.conversations, 'conversation')}"
    return tuple(
        Figure(f"{row.metric.title}: {row.verdict}", difference(row.difference, row.metric.unit),
               f"{count(row.turns, 'turn')} {n}", source)
        for row in rows
    )  # fmt: skip


def _recorded_source(facts: DemoFacts) -> str:
    row = facts.rows[facts.prepared.recorded]
    models = ", ".join(sorted({model for model in (row.reasoning_model, row.fast_model) if model}))
    return f"recorded answers of {models}"


def _live_address(facts: DemoFacts, take: int) -> Address:
    state = opening(facts.script, take)
    return {"tenant": TENANT, "account": state.account_id, "contact": state.contact_id}


def _alone(found: Telling) -> tuple[str, str]:
    """The measure of the turn alone, before and after."""
    unit = found.row.metric.unit
    return figures.value(found.change.first, unit), figures.value(found.change.second, unit)
