"""The guided demo as steps: where each leads, and one sentence of what is to be seen there, made of its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evals.metrics.metric import Unit
from evals.records import Estimate
from evals.report import figures
from evals.report.verdicts import headline
from workbench.demo import DATASET, LABEL, TENANT, DemoFacts, Telling
from workbench.presenters.live_script import opening
from workbench.presenters.prompts_releases import headline as gate_words
from workbench.presenters.words import DIMENSIONS, QUESTION_TYPES
from workbench.text import count

if TYPE_CHECKING:
    from engine.releases import Release
    from evals.compare import Comparison
    from evals.learning.pooling import Pooled

Address = Mapping[str, str | list[str]]
SIMULATED = "simulated"
NAMES = ("Rules", "Recorded answers")
_NEAREST = 4
CANDIDATE = f"The {LABEL} prompts"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with all that is needed to believe it. `n` says what it rests on."""

    what: str
    value: str
    n: str
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demo. `page` is the title of the page that it leads to.

    `sentence` says what is to be seen. Where something is missing, it says what, and `ready` is false.
    """

    key: str
    page: str
    title: str
    minutes: float
    sentence: str
    address: Address
    figures: tuple[Figure, ...] = ()
    simulated: bool = False
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Production:
    """What stands in Postgres: the release that the demo's tenant is read with (None: shipped prompts), and the take
    of the script that was not played yet. `problem` says why nothing is known.
    """

    release: Release | None = None
    take: int = 1
    problem: str = ""


def steps(facts: DemoFacts, production: Production) -> tuple[Step, ...]:
    """The path, in its order."""
    return (
        _live(facts),
        _replay(facts),
        _better(facts),
        _worse(facts),
        _prompt(facts),
        _evidence(facts),
        _promote(facts),
        _in_use(facts, production),
        _replies(facts),
        _believed(facts),
        _otherwise(facts),
    )


def minutes(found: Sequence[Step]) -> str:
    """How long all of it takes."""
    return count(round(sum(step.minutes for step in found)), "minute")


def duration(step: Step) -> str:
    """`1 min`, `½ min`, `1½ min`."""
    whole, half = divmod(step.minutes, 1)
    return f"{int(whole) or ''}{'½' if half else ''} min"


def _live(facts: DemoFacts) -> Step:
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


def _replay(facts: DemoFacts) -> Step:
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


def _better(facts: DemoFacts) -> Step:
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


def _worse(facts: DemoFacts) -> Step:
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
        (Figure(row.metric.title, _difference(row.difference, row.metric.unit), count(row.turns, "turn"),
                _recorded_source(facts)),),
    )  # fmt: skip


def _prompt(facts: DemoFacts) -> Step:
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


def _evidence(facts: DemoFacts) -> Step:
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


def _promote(facts: DemoFacts) -> Step:
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


def _in_use(facts: DemoFacts, production: Production) -> Step:
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


def _replies(facts: DemoFacts) -> Step:
    title, address = "Which questions earn replies?", {"tenant": SIMULATED, "section": "rates", "by": "question_type"}
    if not facts.rates:
        return _unlearned("replies", "Outcomes", title, address)
    best, least = facts.rates[0], facts.rates[-1]
    return Step(
        "replies",
        "Outcomes",
        title,
        1,
        f"{_kind(best)} questions are answered most often, {_rate(best)} of {best.raw.n:,}; "
        f"{_kind(least).lower()} questions least, {_rate(least)} of {least.raw.n:,}.",
        address,
        tuple(Figure(f"Reply rate, {_kind(own).lower()}", _rate(own), count(own.raw.n, "resolved outcome"), SIMULATED)
              for own in facts.rates),
        simulated=True,
    )  # fmt: skip


def _believed(facts: DemoFacts) -> Step:
    title, address = "Can the engine's confidence be believed?", {"tenant": SIMULATED}
    report = facts.calibration.report if facts.calibration is not None else {}
    if not report.get("before"):
        said = "It is being worked out; come back in a moment."
        return Step("believed", "Calibration", title, 0.5, said, address, simulated=True, ready=False)
    before, chance = _error(report["before"]), figures.value(report["before"]["chance"]["mean"], "share")
    after = _error(report["after"]) if report["offered"] else None
    corrected = ""
    if after is not None:
        corrected = (
            f"; corrected, on conversations that it never saw, it is off by {figures.value(after.value, 'share')}"
        )
    n = count(report["outcomes"], "outcome")
    told = {"Calibration error": before, "Corrected, out of fold": after}
    return Step(
        "believed",
        "Calibration",
        title,
        0.5,
        f"Its confidence is off by {figures.value(before.value, 'share')} on average, where chance alone makes "
        f"{chance}{corrected}.",
        address,
        (
            *(Figure(what, figures.estimate(found, "share"), n, SIMULATED) for what, found in told.items() if found),
            Figure("Calibration error of a perfect engine, by chance", chance, n, SIMULATED),
        ),
        simulated=True,
    )


def _error(reading: Mapping[str, Any]) -> Estimate:
    """The expected calibration error, as the report of a calibration holds it."""
    return Estimate.model_validate(reading["ece"])


def _otherwise(facts: DemoFacts) -> Step:
    title = "What if we had asked otherwise?"
    address = {"tenant": SIMULATED, **({"policy": facts.policy} if facts.policy else {})}
    found = facts.what_if
    if found is None or facts.policy is None or not facts.rates:
        return _unlearned("otherwise", "What if", title, address)
    asked = f"{_kind(facts.rates[0]).lower()} questions only"
    if found.estimates is None:
        reason = found.refusal.why if found.refusal else ""
        return Step("otherwise", "What if", title, 0.5, f"With {asked}, nobody can tell: {reason}.", address,
                    simulated=True)  # fmt: skip
    estimates = found.estimates
    n = f"{count(found.outcomes, 'outcome')} of {count(found.conversations, 'conversation')}"
    told = "a difference that luck would hardly make" if _is_clear(estimates.difference) else "which may be luck"
    return Step(
        "otherwise",
        "What if",
        title,
        0.5,
        f"With {asked}, {figures.estimate(estimates.doubly_robust, 'share')} would have answered, against "
        f"{figures.value(estimates.logged.value, 'share')} as it was: "
        f"{_difference(estimates.difference, 'share')}, {told}.",
        address,
        (
            Figure("Reply rate as it was", figures.estimate(estimates.logged, "share"), n, SIMULATED),
            Figure(f"Reply rate with {asked}", figures.estimate(estimates.doubly_robust, "share"), n, SIMULATED),
            Figure("Difference", _difference(estimates.difference, "share"), n, SIMULATED),
        ),
        simulated=True,
    )


def _unlearned(key: str, page: str, title: str, address: Address) -> Step:
    said = "The simulated outcomes are not loaded: `qbs demo prepare` loads them."
    return Step(key, page, title, 1, said, address, simulated=True, ready=False)


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
        Figure(f"{row.metric.title}: {row.verdict}", _difference(row.difference, row.metric.unit),
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


def _difference(found: Estimate, unit: Unit) -> str:
    around = figures.difference_interval(found.low, found.high, unit)
    return f"{figures.difference(found.value, unit)} {around}".rstrip()


def _rate(own: Pooled) -> str:
    """As counted."""
    return f"{figures.value(own.raw.value, 'share')} {figures.interval(own.raw.low, own.raw.high, 'share')}"


def _kind(own: Pooled) -> str:
    word = own.raw.cell.key[0]
    return next((name.name for kind, name in QUESTION_TYPES.items() if kind == word), str(word))


def _is_clear(found: Estimate) -> bool:
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high
