"""Figures for people. What was not measured is a dash, never a nought."""

from __future__ import annotations

from datetime import datetime

from engine.model.analysis import Analysis

UNKNOWN = "—"


def percent(probability: float) -> str:
    """0.824 as `82 %`."""
    return f"{100 * probability:.0f} %"


def latency(milliseconds: float | None) -> str:
    """`0.4 ms`, `38 ms`, `1.2 s`."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def tokens(read: int, written: int) -> str:
    """`1,204 + 86`: read and written."""
    return f"{read:,} + {written:,}" if read or written else UNKNOWN


def cost(usd: float | None) -> str:
    if usd is None:
        return UNKNOWN
    if usd == 0:
        return "$0"
    return f"${usd:.2f}" if usd >= 0.1 else f"${usd:.4f}"


def moment(when: datetime | None) -> str:
    """`19 Jan 2026, 15:05`; in the zone that the time itself names."""
    return f"{when.day} {when:%b %Y, %H:%M}" if when else ""


def spent(analysis: Analysis | None) -> str:
    """What a turn took, as far as it was measured: `412 ms · $0.0063`. The three calls run side by side."""
    if analysis is None:
        return ""
    asked = any(source.attempts for source in analysis.sources.values())
    parts = [latency(analysis.latency_ms)] if analysis.latency_ms is not None else []
    parts += [cost(analysis.cost_usd)] if asked and analysis.cost_usd is not None else []
    return " · ".join(parts)
