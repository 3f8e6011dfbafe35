"""What running it was like: fallbacks and their reasons, failures, tokens, cost, and what the guardrails changed."""

from __future__ import annotations

from engine.model.analysis import FallbackReason, GuardrailRule
from evals.metrics.formulas import ratio
from evals.metrics.judged import ANSWERS, Answer, JudgedTurn
from evals.metrics.metric import A_TENTH, FIVE_POINTS, Counted, Margin, Metric, Tally
from evals.records import Failure

ONE_POINT = Margin(0.01)

# Which of the three answers a guardrail rule is about. Rules about drafts change no analysis.
ANSWER_OF: dict[GuardrailRule, Answer] = {
    "ungrounded_evidence": "extraction",
    "addresses_the_machine": "extraction",
    "back_off": "question",
    "emotional_depth": "question",
    "one_question": "question",
    "jargon": "question",
    "repeated_question": "question",
    "known_contact": "expansion",
    "too_early": "expansion",
}


def _fallbacks(turn: JudgedTurn) -> Counted | None:
    if isinstance(turn.record.result, Failure):
        return None
    reasons = [turn.source(answer).fallback_reason for answer in ANSWERS]
    counts = {"answers": float(len(reasons)), "turns": 1.0, "any": float(any(reasons))}
    for reason in reasons:
        if reason is not None:
            counts["fallbacks"] = counts.get("fallbacks", 0.0) + 1
            counts[reason] = counts.get(reason, 0.0) + 1
    return counts


def _failures(turn: JudgedTurn) -> Counted | None:
    return {"failures": float(isinstance(turn.record.result, Failure)), "n": 1.0}


def _tokens(turn: JudgedTurn) -> Counted | None:
    if isinstance(turn.record.result, Failure):
        return None
    sources = turn.used.sources.values()
    return {
        "in": float(sum(source.tokens_in for source in sources)),
        "out": float(sum(source.tokens_out for source in sources)),
        "conversations": turn.share_of_conversation,
    }


def _cost(turn: JudgedTurn) -> Counted | None:
    cost = None if isinstance(turn.record.result, Failure) else turn.used.cost_usd
    return None if cost is None else {"usd": cost, "conversations": turn.share_of_conversation}


def _guardrails(answer: Answer) -> Tally:
    """The answers to one of the three that a guardrail changed, and by which rules."""
    rules = tuple(rule for rule, about in ANSWER_OF.items() if about == answer)

    def observe(turn: JudgedTurn) -> Counted:
        changed = {change.rule for change in turn.used.changes}.intersection(rules)
        return {**dict.fromkeys(changed, 1.0), "changed": float(bool(changed)), "n": 1.0}

    return Tally(f"operations.guardrails.{answer}", (*rules, "changed", "n"), answer, observe)


FALLBACKS = Tally(
    name="operations.fallbacks",
    parts=("answers", "turns", "any", "fallbacks", *FallbackReason),
    answer=None,
    observe=_fallbacks,
)
FAILURES = Tally(name="operations.failures", parts=("failures", "n"), answer=None, observe=_failures)
TOKENS = Tally(name="operations.tokens", parts=("in", "out", "conversations"), answer=None, observe=_tokens)
COST = Tally(name="operations.cost", parts=("usd", "conversations"), answer=None, observe=_cost)
GUARDRAILS = {answer: _guardrails(answer) for answer in ANSWERS}

FALLBACK_SHARE = Metric(
    name="operations.fallbacks",
    title="Answers from a fallback",
    direction="lower",
    unit="share",
    formula="answers with a fallback reason / answers, three a turn",
    source="engine.model.analysis.Source.fallback_reason",
    tally=FALLBACKS,
    value=ratio("fallbacks", "answers"),
    margin=ONE_POINT,
)
FALLBACK_TURNS = Metric(
    name="operations.fallback_turns",
    title="Turns with a fallback",
    direction="lower",
    unit="share",
    formula="turns with at least one fallback / turns",
    source="engine.model.analysis.Source.fallback_reason",
    tally=FALLBACKS,
    value=ratio("any", "turns"),
    margin=ONE_POINT,
    detail=True,
)
FAILURE_SHARE = Metric(
    name="operations.failures",
    title="Turns that failed",
    direction="lower",
    unit="share",
    formula="turns without any analysis / turns",
    source="evals.records.Failure",
    tally=FAILURES,
    value=ratio("failures", "n"),
    margin=Margin(0.0),
)
TOKENS_TOTAL = Metric(
    name="operations.tokens",
    title="Tokens, a conversation",
    direction="lower",
    unit="tokens",
    formula="tokens in and out of every attempt / conversations; one answered in part counts in part",
    source="engine.model.analysis.Source",
    tally=TOKENS,
    value=lambda totals: (totals["in"] + totals["out"]) / totals["conversations"],
    margin=A_TENTH,
)
COST_USD = Metric(
    name="operations.cost",
    title="Cost, a conversation",
    direction="lower",
    unit="USD",
    formula="cost of every attempt / conversations; turns without a known price are left out",
    source="engine.model.analysis.Analysis.cost_usd",
    tally=COST,
    value=ratio("usd", "conversations"),
    margin=A_TENTH,
)


def _guardrail_share(answer: Answer) -> Metric:
    return Metric(
        name=f"operations.guardrails.{answer}",
        title=f"Guardrails changed the {answer}",
        direction="lower",
        unit="share",
        formula="answers changed by any rule / answers",
        source="engine.guardrails",
        tally=GUARDRAILS[answer],
        value=ratio("changed", "n"),
        margin=FIVE_POINTS,
    )


def _of_reason(reason: FallbackReason) -> Metric:
    return Metric(
        name=f"operations.fallbacks.{reason}",
        title=f"Fallbacks, {reason.replace('_', ' ')}",
        direction="lower",
        unit="share",
        formula="answers with this fallback reason / answers, three a turn",
        source="engine.model.analysis.Source.fallback_reason",
        tally=FALLBACKS,
        value=ratio(reason, "answers"),
        margin=ONE_POINT,
        detail=True,
    )


def _of_rule(rule: GuardrailRule) -> Metric:
    return Metric(
        name=f"operations.guardrails.{rule}",
        title=f"Guardrail, {rule.replace('_', ' ')}",
        direction="lower",
        unit="share",
        formula="answers changed by this rule / answers",
        source="engine.guardrails",
        tally=GUARDRAILS[ANSWER_OF[rule]],
        value=ratio(rule, "n"),
        margin=FIVE_POINTS,
        detail=True,
    )


def _tokens_metric(which: str) -> Metric:
    return Metric(
        name=f"operations.tokens_{which}",
        title=f"Tokens {which}, a conversation",
        direction="lower",
        unit="tokens",
        formula=f"tokens {which} of every attempt / conversations",
        source="engine.model.analysis.Source",
        tally=TOKENS,
        value=ratio(which, "conversations"),
        margin=A_TENTH,
        detail=True,
    )


METRICS = (
    FALLBACK_SHARE,
    FALLBACK_TURNS,
    FAILURE_SHARE,
    TOKENS_TOTAL,
    COST_USD,
    *(_guardrail_share(answer) for answer in ANSWERS),
    *(_tokens_metric(which) for which in ("in", "out")),
    *(_of_reason(reason) for reason in FallbackReason),
    *(_of_rule(rule) for rule in ANSWER_OF),
)
