"""A run in words and figures: over all its conversations, and turn by turn through one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from engine.merge import joined_evidence
from engine.model.analysis import Analysis
from engine.model.qbs import PainDepthLevel
from evals.origins import Origin, origin_words
from evals.records import Failure, TurnRecord
from evals.runs.rows import RunRow, TurnRow
from workbench.commands.output import paragraph
from workbench.text import ago, count, money, percent, printable, table

CALLS = ("extraction", "question", "expansion")


def summary_facts(turns: Sequence[TurnRow]) -> dict[str, Any]:
    """What the turns of a run come to, for programs. Counts of `sources` and `fallback_reasons` are per call."""
    return {
        "sources": dict(_calls(turns, "source")),
        "fallback_reasons": dict(_calls(turns, "reason")),
        "latency_ms": {"p50": _quantile(turns, 0.50), "p95": _quantile(turns, 0.95)},
        "question_types": dict(Counter(turn.question_type for turn in turns if turn.question_type).most_common()),
        "guardrail_changes": sum(turn.changes or 0 for turn in turns),
        "by_conversation": [_conversation_facts(list(own)) for _, own in groupby(turns, _by_conversation)],
    }


def summary_text(
    row: RunRow, turns: Sequence[TurnRow], origin: Origin | None = None, prompts: Mapping[str, str] | None = None
) -> str:
    """The same for a person. `origin` is that of the data set, `prompts` are content hashes by name."""
    facts = summary_facts(turns)
    lines = [
        ("status", f"{row.status}, {row.turns:,} of {count(row.turns_expected, 'turn')}, {_when(row)}"),
        ("data set", f"{row.dataset}, {count(row.conversations, 'conversation')}, {row.state_mode} state"),
        ("conversations", origin_words(origin)),
        ("variant", row.variant + _models(row)),
        ("prompts", ", ".join(f"{name}@{digest[:8]}" for name, digest in sorted((prompts or {}).items()))),
        ("samples", str(row.samples) if row.samples > 1 else ""),
        ("answers from", _counted(facts["sources"]) or "nobody yet"),
        ("fallbacks", _counted(facts["fallback_reasons"]) or "none"),
        ("failures", _failures(turns)),
        ("latency", _latency(facts["latency_ms"]) if turns else ""),
        ("tokens", f"{row.tokens_in:,} read, {row.tokens_out:,} written" if row.tokens_in else ""),
        ("cost", money(row.cost_usd)),
        ("questions", _counted(facts["question_types"])),
        ("guardrails", f"changed {count(facts['guardrail_changes'], 'thing')}" if facts["guardrail_changes"] else ""),
        ("problem", row.problem or ""),
    ]
    head = [row.run_id, "", *(f"  {name:<13} {value}" for name, value in lines if value)]
    return "\n".join([*head, "", _conversations_table(facts["by_conversation"])] if turns else head)


def conversation_facts(records: Sequence[TurnRecord]) -> list[dict[str, Any]]:
    """The full records of one conversation, for programs."""
    return [record.model_dump(mode="json") for record in records]


def conversation_text(row: RunRow, records: Sequence[TurnRecord]) -> str:
    """One conversation turn by turn: what was concluded, what would be asked, and what the guardrails changed."""
    parts = [f"{records[0].conversation_id} in {row.run_id}"]
    for record in records:
        parts.append("\n".join(_turn_lines(record)))
    return "\n\n".join(parts)


def _turn_lines(record: TurnRecord) -> Iterator[str]:
    name = f"turn {record.turn}" + (f", sample {record.sample}" if record.sample else "")
    if isinstance(record.result, Failure):
        yield f"{name}: failed with {record.result.error}: {printable(record.result.message)}"
        return
    yield f"{name}: {_sensed(record, record.result)}"
    found = record.result.extraction.found
    for dimension in found.identified:
        signal = found.signal(dimension)
        quotes = f" («{joined_evidence(signal.evidence)}»)" if signal.evidence else ""
        yield paragraph(f"{dimension} {signal.confidence:.2f}: {signal.value}{quotes}", 10, "  found")
    asked = record.result.question.recommendation
    how = f"{asked.question_type} about {asked.meddic_bant_target}, {asked.voss_delivery}, {asked.confidence:.2f}"
    yield paragraph(f"{asked.suggested_question} ({how})", 10, "  ask")
    for trigger in record.result.expansion.triggers:
        yield paragraph(f"{trigger.mentioned_name_or_role} ({trigger.urgency})", 10, "  people")
    for change in record.result.changes:
        yield paragraph(f"{change.rule} on {change.subject}: {change.reason}", 10, "  changed")


def _sensed(record: TurnRecord, analysis: Analysis) -> str:
    asked = analysis.question.recommendation
    known = len(record.after.qualification.identified)
    sources = ", ".join(dict.fromkeys(source.label for source in analysis.sources.values()))
    return f"{asked.engagement_signal}, pain {asked.pain_depth}, {known} of 10 known; from {sources}"


def _calls(turns: Sequence[TurnRow], what: str) -> Counter[str]:
    """How often each `source` or `reason` stands behind one of the three calls of a turn, most frequent first."""
    found = (getattr(turn, f"{call}_{what}") for turn in turns for call in CALLS)
    return Counter(dict(Counter(value for value in found if value).most_common()))


def _quantile(turns: Sequence[TurnRow], share: float) -> float | None:
    """Nearest rank over the turns that were answered without a fallback and timed; None if there are none."""
    known = sorted(turn.latency_ms for turn in turns if turn.latency_ms is not None and not _fell_back(turn))
    return known[min(len(known) - 1, int(share * len(known)))] if known else None


def _fell_back(turn: TurnRow) -> bool:
    return any(getattr(turn, f"{call}_reason") for call in CALLS)


def _by_conversation(turn: TurnRow) -> str:
    return turn.conversation_id


def _conversation_facts(turns: Sequence[TurnRow]) -> dict[str, Any]:
    answered = [turn for turn in turns if turn.error is None]
    last = answered[-1] if answered else None
    depths = [PainDepthLevel(turn.pain_depth) for turn in answered if turn.pain_depth]
    return {
        "conversation_id": turns[0].conversation_id,
        "turns": len(turns),
        "failures": len(turns) - len(answered),
        "fallbacks": sum(_fell_back(turn) for turn in answered),
        "completion": last and last.completion,
        "pain_depth": max(depths, key=lambda depth: depth.rank).value if depths else None,
        "back_offs": sum(bool(turn.back_off) for turn in answered),
        "people": last and last.people,
        "stage": last and last.stage,
    }


def _conversations_table(facts: Sequence[dict[str, Any]]) -> str:
    cells = [
        [
            each["conversation_id"],
            str(each["turns"]),
            str(each["fallbacks"] + each["failures"]),
            "-" if each["completion"] is None else f"{each['completion']:.0%}",
            each["pain_depth"] or "-",
            str(each["back_offs"]),
            "-" if each["people"] is None else str(each["people"]),
            each["stage"] or "-",
        ]
        for each in facts
    ]
    header = ["CONVERSATION", "TURNS", "FELL BACK", "KNOWN", "PAIN", "BACK OFF", "PEOPLE", "STAGE"]
    return table(cells, header, right=[1, 2, 3, 5, 6])


def _when(row: RunRow) -> str:
    return f"made {ago(row.created_at, datetime.now(UTC))}"


def _models(row: RunRow) -> str:
    models = dict.fromkeys(filter(None, (row.reasoning_model, row.fast_model)))
    return f" ({' and '.join(models)})" if models and not row.variant.startswith("llm:") else ""


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def _failures(turns: Sequence[TurnRow]) -> str:
    errors = Counter(turn.error for turn in turns if turn.error)
    return f"{percent(errors.total(), len(turns))} of turns: {_counted(dict(errors))}" if errors else ""


def _latency(latency: dict[str, float | None]) -> str:
    if latency["p50"] is None or latency["p95"] is None:
        return "not measured"
    return f"half of the turns within {latency['p50']:,.0f} ms, 95 % within {latency['p95']:,.0f} ms"
