"""What `qbs promote` and `qbs releases` say: decisions, releases and the gate, for people and for programs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.commands.output import paragraph
from workbench.text import ago, clip, count, table

if TYPE_CHECKING:
    from engine.releases import Release
    from evals.gates import Outcome
    from evals.tuning.decision import Decision, TellingTurn
    from evals.tuning.must_not_break import ProtectedTurn
    from evals.tuning.promotion_file import PromotionRules
    from workbench.promoting import Weighed


def release_facts(release: Release, *, in_production: bool = False, evidence: bool = False) -> dict[str, Any]:
    """A release for programs; its evidence where that is asked for."""
    found = release.model_dump(mode="json", exclude=None if evidence else {"evidence"})
    return found | {"passed": release.evidence.get("passed"), "in_production": in_production}


def releases_text(releases: Sequence[Release], current: int | None, now: datetime) -> str:
    """A table of releases; a star marks the one in production."""
    header = ["", "RELEASE", "STAGE", "SET", "WHEN", "BY", "VERDICT", "NOTE"]
    cells = [
        [
            "*" if each.number == current else "",
            str(each.number),
            each.stage,
            each.short,
            ago(each.released_at, now),
            clip(each.released_by, 20),
            each.verdict or "",
            clip(" ".join(_remarks(each)), 70),
        ]
        for each in releases
    ]
    return table(cells, header, right=[1])


def release_text(release: Release, *, in_production: bool, prompts: Sequence[str]) -> str:
    """One release with what it rests on."""
    lines = [
        f"Release {release.number}: {release.short}, {release.stage}{', in production now' if in_production else ''}",
        f"released {release.released_at:%Y-%m-%d %H:%M %Z} by {release.released_by}",
        *_remarks(release),
    ]
    if prompts:
        lines.append(f"prompts: {', '.join(prompts)}")
    evidence = release.evidence
    if evidence:
        lines.append(f"verdict: {release.verdict}; the gate {'passed' if evidence.get('passed') else 'did not pass'}")
        runs, findings = evidence.get("runs", ()), evidence.get("findings", ())
        lines += [f"runs over {own['dataset']}: {own['production']} and {own['candidate']}" for own in runs]
        lines += [paragraph(own["reason"], 2, "-") for own in findings]
    return "\n".join(lines)


def weighed_text(weighed: Weighed) -> str:
    """A decision with everything that was looked at: what blocks first, the turns that say why last."""
    decision, production = weighed.decision, weighed.standing
    against = production.prompts.name
    if production.release is not None:
        against += f" (release {production.release.number})"
    sets = f"{weighed.candidate.name} against {against}, which is in production"
    lines = [f"{'Passed' if decision.passed else 'Blocked'}: {decision.verdict}. {sets}.", ""]
    ordered = sorted(decision.findings, key=lambda finding: not finding.blocks)
    lines += [paragraph(own.reason, 6, _mark(own.outcome, blocks=own.blocks)) for own in ordered]
    if decision.turns:
        lines += ["", "Turns that lost most:" if decision.passed else "Turns that say why:", _turns(decision.turns)]
    return "\n".join(lines)


def advice_text(decision: Decision, name: str) -> str:
    """What to do about a decision that blocks."""
    if decision.missing:
        return "Make the missing runs, then ask again:\n" + "\n".join(f"  {own.command}" for own in decision.missing)
    return f'To release it nevertheless: qbs promote {shlex.quote(name)} --note "..." --override "why"'


def rules_text(rules: PromotionRules, protected: Sequence[ProtectedTurn]) -> str:
    """What the gate asks for."""
    limits = rules.limits
    own = {
        "cost a conversation": _limit(limits.cost_growth, limits.cost_usd, "USD"),
        "latency, 95 % of turns": _limit(limits.latency_growth, limits.latency_p95_ms, "ms"),
        "answers by fallbacks": "not limited" if limits.fallbacks is None else f"at most {limits.fallbacks:.0%}",
    }
    lines = [
        f"From {rules.file}"
        if rules.file
        else "As built in; promotion.toml in QBS_HOME changes it (docs/promotion.md)",
        f"compared on: {', '.join(rules.datasets)}, as answered by {rules.variant}, view {rules.view}",
        f"at least: {rules.minimum_turns} labelled turns of {rules.minimum_conversations} conversations",
        paragraph(f"none worse, one better: {', '.join(rules.metrics)}", 2),
        *(f"{name}: {words}" for name, words in own.items()),
        *(f"fails if {gate.condition.text}" for gate in rules.gates),
        "must not break: " + (_listed(protected) if protected else "no turn is on the list"),
    ]
    return "\n".join(lines)


def _listed(protected: Sequence[ProtectedTurn]) -> str:
    return f"{count(len(protected), 'turn')}, listed by `qbs releases protected`"


def rules_facts(rules: PromotionRules, protected: Sequence[ProtectedTurn]) -> dict[str, Any]:
    """The same for programs."""
    limits = rules.limits
    return {
        "file": str(rules.file) if rules.file else None,
        "datasets": list(rules.datasets),
        "variant": rules.variant,
        "view": rules.view.value,
        "metrics": list(rules.metrics),
        "minimum_turns": rules.minimum_turns,
        "minimum_conversations": rules.minimum_conversations,
        "limits": {name: _finite(value) for name, value in asdict(limits).items()},
        "gates": [{"name": gate.title, "condition": gate.condition.text} for gate in rules.gates],
        "must_not_break": [turn.model_dump(mode="json") for turn in protected],
    }


def protected_text(protected: Sequence[ProtectedTurn], now: datetime) -> str:
    cells = [
        [each.dataset, each.conversation_id, str(each.turn), clip(each.by, 20), ago(each.at, now), clip(each.why, 60)]
        for each in protected
    ]
    return table(cells, ["DATA SET", "CONVERSATION", "TURN", "BY", "WHEN", "WHY"], right=[2])


def _remarks(release: Release) -> Iterator[str]:
    if release.returns_to is not None:
        yield f"returns to {release.returns_to}."
    if not release.is_own:
        yield "no prompts of its own any more."
    if release.overridden_because is not None:
        yield f"OVERRIDDEN: {release.overridden_because}."
    if release.note:
        yield release.note


def _mark(outcome: Outcome, *, blocks: bool) -> str:
    return "STOP" if blocks else {"passed": "ok", "failed": "no"}.get(outcome.value, "?")


def _turns(turns: Sequence[TellingTurn]) -> str:
    from evals.report import figures

    cells = [
        [
            own.conversation_id,
            str(own.turn),
            own.metric.name,
            figures.value(own.before, own.metric.unit),
            figures.value(own.after, own.metric.unit),
        ]
        for own in turns
    ]
    return table(cells, ["CONVERSATION", "TURN", "METRIC", "NOW", "THEN"], right=[1, 3, 4])


def _finite(limit: float | None) -> float | None:
    """JSON has no infinity: no limit is null."""
    return None if limit is None or math.isinf(limit) else limit


def _limit(growth: float | None, most: float | None, unit: str) -> str:
    words = [f"at most {growth:.0%} more than now"] if _finite(growth) is not None else []
    words += [f"at most {most:g} {unit}"] if most is not None else []
    return ", ".join(words) or "not limited"
