"""Figures of metrics as people read them, with their unit. What is not known is a dash, never a nought."""

from __future__ import annotations

from evals.metrics.metric import Unit
from evals.records import Estimate

UNKNOWN = "—"
MINUS = "\N{MINUS SIGN}"
_SECOND_MS = 1_000
_TINY_P = 0.001

UNIT_WORDS: dict[Unit, str] = {
    "share": "percent; differences in percentage points (pts)",
    "score": "a score from -1 to 1",
    "rating": "a rating from 1 to 4",
    "count": "a count",
    "ms": "milliseconds or seconds",
    "s": "seconds",
    "tokens": "tokens",
    "USD": "US dollars",
}


def value(figure: float | None, unit: Unit) -> str:
    """`59.9 %`, `0.83`, `812 ms`, `20,743`, `$0.042`."""
    if figure is None:
        return UNKNOWN
    text = _written(abs(figure), unit)
    return f"{MINUS}{text}" if figure < 0 and any(digit in "123456789" for digit in text) else text


def difference(figure: float | None, unit: Unit) -> str:
    """With its sign: `+12.3 pts`, `−0.04`; a difference of nothing has none."""
    if figure is None:
        return UNKNOWN
    text = f"{100 * abs(figure):.1f} pts" if unit == "share" else _written(abs(figure), unit)
    if not any(digit in "123456789" for digit in text):
        return text
    return f"{'+' if figure > 0 else MINUS}{text}"


def size(figure: float | None, unit: Unit) -> str:
    """A difference without direction: `12.3 pts`."""
    return difference(figure, unit).lstrip("+" + MINUS)


def interval(low: float | None, high: float | None, unit: Unit) -> str:
    """`[52.1, 66.0]`, in the unit of `value`."""
    return _interval(low, high, unit, signed=False)


def difference_interval(low: float | None, high: float | None, unit: Unit) -> str:
    """`[+2.1, +6.0]`, in the unit of `difference`."""
    return _interval(low, high, unit, signed=True)


def estimate(found: Estimate, unit: Unit) -> str:
    """`59.9 % [52.1, 66.0]`."""
    around = interval(found.low, found.high, unit)
    return f"{value(found.value, unit)} {around}".rstrip()


def p_value(p: float | None) -> str:
    if p is None:
        return UNKNOWN
    if p < _TINY_P:
        return f"<{_TINY_P}"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _interval(low: float | None, high: float | None, unit: Unit, *, signed: bool) -> str:
    if low is None or high is None:
        return ""
    shown = difference if signed else value
    return f"[{_bare(shown(low, unit))}, {_bare(shown(high, unit))}]"


def _bare(text: str) -> str:
    """Without the unit that the figure before the interval has already said."""
    for unit in (" %", " pts", " s"):
        text = text.removesuffix(unit) if not text.endswith(" ms") else text
    return text


def _written(figure: float, unit: Unit) -> str:
    match unit:
        case "share":
            return f"{100 * figure:.1f} %"
        case "ms":
            return f"{figure:.0f} ms" if figure < _SECOND_MS else f"{figure / _SECOND_MS:.2f} s"
        case "s":
            return f"{figure:.2f} s"
        case "tokens":
            return f"{figure:,.0f}"
        case "USD":
            return f"${figure:,.2f}" if figure >= 1 else f"${figure:.4f}"
        case _:
            return f"{figure:.2f}"
