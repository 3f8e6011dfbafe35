"""What the gain costs, whose answers were fallbacks, and how far repeated answers vary."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.components import details
from workbench.presenters.compare_costs import Fallbacks, LiftLine, Price, VariationLine
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.figures import UNKNOWN
from workbench.text import count

_FALLBACK = (
    "When a model does not answer, the engine extracts nothing and asks a seed question by a fixed table. Such answers "
    "are never counted as the model's."
)
_LIFT = (
    "What the model gains over the rules, and what that takes: for each dollar that a conversation costs more, and for "
    "each second that a turn takes longer. In brackets 95 % intervals."
)
_REPEATS = (
    "How far a figure moves when everything is asked again (answers), apart from how far it would move with other "
    "conversations. Standard deviations."
)


def lift(lines: Sequence[LiftLine], price: Price, model: str, rules: str) -> None:
    """Columns for a price that is not known are left out, and it is said why."""
    details.title(f"What {on_one_line(model)} gains over {on_one_line(rules)}, and its price", _LIFT)
    st.markdown(_price(price))
    head, cells = ["Measure", "Gain"], [[line.title, line.gain] for line in lines]
    if price.dollars != UNKNOWN:
        head.append("for each dollar")
        cells = [[*cell, line.per_dollar] for cell, line in zip(cells, lines, strict=True)]
    if price.seconds != UNKNOWN:
        head.append("for each second")
        cells = [[*cell, line.per_second] for cell, line in zip(cells, lines, strict=True)]
    st.markdown(_table(head, cells))


def _price(price: Price) -> str:
    known = {"A conversation costs": price.dollars, "A turn takes": price.seconds}
    told = [f"{what} **{_text(more)}** more." for what, more in known.items() if more != UNKNOWN]
    unknown = [what for what, more in (("cost", price.dollars), ("latency", price.seconds)) if more == UNKNOWN]
    told += [f":gray[Its {' and '.join(unknown)} were not measured.]"] if unknown else []
    return " ".join(told)


def fallbacks(found: Sequence[Fallbacks]) -> None:
    details.title("Answers from a fallback", _FALLBACK)
    for own in found:
        told = f"{own.fallbacks:,} of {count(own.answers, 'answer')} ({own.share})" if own.fallbacks else "none"
        st.markdown(f"**{on_one_line(own.run)}**: {told}")
        if own.reasons:
            rows = [[f"{word.name.capitalize()}: {word.meaning}", f"{number:,}"] for word, number in own.reasons]
            st.markdown(_table(["Reason", "Answers"], rows))


def repeats(run: str, samples: int, lines: Sequence[VariationLine]) -> None:
    details.title(f"Asked {samples} times: {on_one_line(run)}", _REPEATS)
    head = ["Measure", "between answers", "between conversations"]
    st.markdown(_table(head, [[line.title, line.answers, line.conversations] for line in lines]))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, figures to the right."""
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    return on_one_line(text)
