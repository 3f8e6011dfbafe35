"""How to have asked: from the widgets to a place that names the question."""

from __future__ import annotations

import streamlit as st

from engine.errors import QBSError
from engine.model.qbs import QBSQuestionType
from evals.learning.off_policy.log import PARTS
from evals.learning.off_policy.policies import action_named
from workbench.components import what_if_choosing as choosing
from workbench.presenters.sides import side_names
from workbench.session import offer
from workbench.variants import configured_models
from workbench.views import calibration_tenants, reading
from workbench.views import what_if_place as place
from workbench.views.what_if_place import WhatIfPlace

_TENANT_PIXELS, _FORM_PIXELS = 260, 560
_USUAL = f"always:{QBSQuestionType.IMPACT}"
_USUAL_LINES = ("engagement:resistant,question_type:confirmation", "persona:c_suite,question_type:impact")


def choose(goal: WhatIfPlace | None) -> WhatIfPlace | None:
    """Draw what there is to choose from, set to `goal` where one is given; None where nothing is asked yet."""
    to = goal or WhatIfPlace()
    _go_to(to)
    with st.container(horizontal=True):
        with st.container(width=_TENANT_PIXELS):
            tenant = calibration_tenants.choose(place.WHOSE, to.tenant)
        with st.container(width=_FORM_PIXELS):
            choosing.form(place.FORMS, place.FORM)
    form = str(st.session_state[place.FORM])
    choosing.meaning(form)
    if form in ("always", "prefer"):
        return _words(tenant, form)
    if form == "table":
        return _table(tenant)
    return _other(tenant, form)


def _go_to(to: WhatIfPlace) -> None:
    """Set the widgets to a place; at first to the usual question."""
    at = to if to.policy else WhatIfPlace(policy=_USUAL)
    if to.policy is None and st.session_state.get(place.FORM) in place.FORMS:
        return
    st.session_state[place.FORM] = at.form
    if at.form in ("always", "prefer"):
        words = _action(at.rest)
        for part, key in place.WORDS.items():
            st.session_state[key] = words.get(part, "")
    st.session_state[place.LINES] = at.lines or _USUAL_LINES
    if at.form == "run":
        st.session_state[place.RUN] = at.rest
    if at.form == "variant":
        st.session_state[place.VARIANT] = at.rest
    st.session_state[place.BY] = list(at.by)


def _action(words: str) -> dict[str, str]:
    """The parts that are named; none where a link names something else."""
    try:
        return action_named(words)
    except QBSError:
        return {}


def _words(tenant: str, form: str) -> WhatIfPlace | None:
    bar = st.columns(3)
    for column, (part, key) in zip(bar, place.WORDS.items(), strict=True):
        st.session_state.setdefault(key, QBSQuestionType.IMPACT.value if part == PARTS[0] else "")
        with column:
            choosing.words({part: key})
    chosen = [str(st.session_state[key]) for key in place.WORDS.values() if st.session_state[key]]
    if not chosen:
        st.markdown(":gray[Choose a question type, a target or a delivery.]")
        return None
    return WhatIfPlace(tenant, f"{form}:{'+'.join(chosen)}")


def _table(tenant: str) -> WhatIfPlace | None:
    start = st.session_state.setdefault(place.LINES, _USUAL_LINES)
    lines = choosing.by_segment([place.read(line) for line in start], f"{place.TABLE} {hash(start)}")
    if not lines:
        st.markdown(":gray[Fill in a line: where, and what to ask there.]")
        return None
    return WhatIfPlace(tenant, "table", lines=tuple(map(place.written, lines)))


def _other(tenant: str, form: str) -> WhatIfPlace | None:
    bar = st.columns(2)
    with bar[0]:
        name = _run() if form == "run" else _variant()
    if name is None:
        return None
    with bar[1]:
        choosing.by(place.BY)
    chosen = tuple(part for part in PARTS if part in (st.session_state.get(place.BY) or ()))
    return WhatIfPlace(tenant, f"{form}:{name}", by=chosen)


def _run() -> str | None:
    rows = [row for row in reading.runs() if row.turns and row.variant != "labels"]
    if not rows:
        st.markdown(":gray[There is no run yet: the Runs page says how to make one.]")
        return None
    named = zip(rows, side_names(rows), strict=True)
    names = {row.run_id: f"{name} · {row.dataset} · {row.run_id}" for row, name in named}
    offer(place.RUN, list(names), None)
    choosing.run(names, place.RUN)
    return str(st.session_state[place.RUN])


def _variant() -> str:
    names = {"rules": "The rules"}
    if (models := _models()) is not None:
        names["llm"] = f"The models: {models}"
    offer(place.VARIANT, list(names), None)
    choosing.variant(names, place.VARIANT)
    return str(st.session_state[place.VARIANT])


def _models() -> str | None:
    """The configured models; None if there are none."""
    try:
        return " + ".join(dict.fromkeys(configured_models(reading.services().settings)))
    except QBSError:
        return None
