"""What the Compare page is about, as ids: kept in the session, and in the address so that it can be sent around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal, TypeVar, cast, get_args

import streamlit as st

from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal
from evals.dataset_manifest import Split
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.slices import Slice
from workbench import session

# Keys of widgets.
DATASET, FIRST, OTHERS, SHOWN, VIEW = (f"compare {name}" for name in ("dataset", "first", "others", "shown", "view"))
METRIC, ORDER, PAGE, BREAKDOWNS = (f"compare {name}" for name in ("metric", "order", "page", "breakdowns"))
FILTERS = {field.name: f"compare {field.name}" for field in fields(Slice)}
TURN = "compare.turn"  # (conversation, turn) that is open; of no widget

Order = Literal["worse", "better"]
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
EVERYTHING = Slice()
_AT = "compare.at"
_MOST_RUNS = 4
_BREAKDOWN_NAMES = frozenset(metric.name for metric in METRICS if metric.detail)
_FILTER_NAMES = {
    "personas": "persona",
    "channels": "channel",
    "splits": "split",
    "stages": "stage",
    "engagements": "engagement",
    "conversations": "conversation",
}


@dataclass(frozen=True, slots=True)
class ComparePlace:
    """Runs side by side, seen in one view, over a part of the turns, by one metric, with one turn open.

    The first of `runs` is what the others are compared with; `shown` is the one of them that is looked at closely.
    """

    runs: tuple[str, ...] = ()
    shown: str | None = None
    view: View | None = None
    part: Slice = EVERYTHING
    metric: str | None = None
    order: Order | None = None
    turn: tuple[str, int] | None = None

    @classmethod
    def of_address(cls, query: Mapping[str, Sequence[str]]) -> ComparePlace:
        """The place that an address names; what cannot be read there counts as not chosen."""
        order = _last(query, "order")
        return cls(
            runs=tuple(dict.fromkeys(run for run in query.get("run", ()) if run))[:_MOST_RUNS],
            shown=_last(query, "shown"),
            view=next(iter(_choices(View, query.get("view", ()))), None),
            part=_part(query),
            metric=_last(query, "metric"),
            order=cast("Order", order) if order in get_args(Order) else None,
            turn=_turn(_last(query, "at") or ""),
        )

    def address(self) -> dict[str, str | list[str]]:
        """The query that names this place."""
        part = {name: list(map(str, getattr(self.part, field))) for field, name in _FILTER_NAMES.items()}
        single = {
            "shown": self.shown,
            "view": self.view and self.view.value,
            "metric": self.metric,
            "order": self.order,
        }
        at = {"at": f"{self.turn[0]}:{self.turn[1]}"} if self.turn else {}
        several = {"run": list(self.runs), **part}
        return {
            **{name: values for name, values in several.items() if values},
            **{name: value for name, value in single.items() if value},
            **at,
        }


def arrive() -> ComparePlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at."""
    comes = session.comes_to("compare")
    asked = ComparePlace.of_address(_query())
    if asked not in (ComparePlace(), left_at()):
        return asked
    return left_at() if comes else None


def left_at() -> ComparePlace:
    return cast("ComparePlace", st.session_state.get(_AT, ComparePlace()))


def settle(place: ComparePlace) -> None:
    """Remember the place, and name it in the address."""
    st.session_state[_AT] = place
    if ComparePlace.of_address(_query()) != place:
        st.query_params.from_dict(place.address())


def part() -> Slice:
    """What the filters say."""
    return Slice(**{name: tuple(st.session_state.get(key) or ()) for name, key in FILTERS.items()})


def set_part(wanted: Slice) -> None:
    for name, key in FILTERS.items():
        st.session_state[key] = list(getattr(wanted, name))


def with_breakdowns(goal: ComparePlace | None) -> bool:
    """Whether the breakdowns of measures are wanted too: a link to one of them wants them."""
    if goal is not None and goal.metric in _BREAKDOWN_NAMES:
        st.session_state[BREAKDOWNS] = True
    return bool(st.session_state.get(BREAKDOWNS))


def open_turn(conversation_id: str, turn: int) -> None:
    st.session_state[TURN] = (conversation_id, turn)


def turn() -> tuple[str, int] | None:
    return cast("tuple[str, int] | None", st.session_state.get(TURN))


def _query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _last(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    return next(reversed(query.get(name, ())), None) or None


def _part(query: Mapping[str, Sequence[str]]) -> Slice:
    return Slice(
        personas=_choices(Persona, query.get("persona", ())),
        channels=_choices(Channel, query.get("channel", ())),
        splits=tuple(cast("Split", split) for split in query.get("split", ()) if split in get_args(Split)),
        stages=_choices(DealStage, query.get("stage", ())),
        engagements=_choices(EngagementSignal, query.get("engagement", ())),
        conversations=tuple(query.get("conversation", ())),
    )


def _choices(kind: type[ChoiceT], names: Sequence[str]) -> tuple[ChoiceT, ...]:
    known = {choice.value: choice for choice in kind}
    return tuple(known[name] for name in names if name in known)


def _turn(text: str) -> tuple[str, int] | None:
    conversation, _, turn = text.rpartition(":")
    return (conversation, int(turn)) if conversation and turn.isascii() and turn.isdigit() and len(turn) < 7 else None
