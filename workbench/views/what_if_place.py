"""What the What if page is about, as ids and words: kept in the session, and in the address so that it can be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import streamlit as st

from evals.learning.off_policy.log import PARTS
from workbench import session
from workbench.views.calibration_tenants import TENANT

# Keys of widgets.
WHOSE, FORM, RUN, VARIANT, BY, TABLE = (
    f"what if {name}" for name in ("whose", "form", "run", "variant", "by", "table")
)
WORDS = {part: f"what if {part}" for part in PARTS}

FORMS = {
    "always": "Always",
    "prefer": "Wherever possible",
    "table": "By segment",
    "run": "As a run",
    "variant": "As a variant",
}
LINES = "what if.lines"  # those that the table begins with
_AT = "what if.at"
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class WhatIfPlace:
    """A question about a tenant's outcomes. What is None or empty is not chosen.

    `policy` is written as for `qbs outcomes what-if`, but that a table is `table` and has its `lines` here, each as
    `segment:word,...,part:word,...`; `by` are the parts that a run or a variant is compared by.
    """

    tenant: str | None = None
    policy: str | None = None
    by: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @classmethod
    def of_address(cls, query: Mapping[str, Sequence[str]]) -> WhatIfPlace:
        """The place that an address names; what cannot be read there counts as not chosen."""
        policy = next(iter(query.get("policy", ())), None) or None
        known = policy is not None and policy.partition(":")[0] in FORMS
        return cls(
            tenant=next(iter(query.get("tenant", ())), None) or None,
            policy=policy if known else None,
            by=tuple(part for part in query.get("by", ()) if part in PARTS),
            lines=tuple(line for line in query.get("line", ()) if line)[:_MOST_LINES],
        )

    def address(self) -> dict[str, str | list[str]]:
        """The query that names this place."""
        told = {"tenant": self.tenant, "policy": self.policy, "by": list(self.by), "line": list(self.lines)}
        return {name: value for name, value in told.items() if value}

    @property
    def form(self) -> str | None:
        return self.policy.partition(":")[0] if self.policy else None

    @property
    def rest(self) -> str:
        return self.policy.partition(":")[2] if self.policy else ""


def arrive() -> WhatIfPlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at, of
    the tenant that was looked at meanwhile.
    """
    comes = session.comes_to("what if")
    asked = WhatIfPlace.of_address(_query())
    if asked not in (WhatIfPlace(), left_at()):
        return asked
    return replace(left_at(), tenant=st.session_state.get(TENANT) or left_at().tenant) if comes else None


def left_at() -> WhatIfPlace:
    return cast("WhatIfPlace", st.session_state.get(_AT, WhatIfPlace()))


def settle(place: WhatIfPlace) -> None:
    """Remember the place, and name it in the address."""
    st.session_state[_AT] = place
    if WhatIfPlace.of_address(_query()) != place:
        st.query_params.from_dict(place.address())


def written(line: Mapping[str, str | None]) -> str:
    """A line of a table as it stands in an address."""
    return ",".join(f"{name}:{word}" for name, word in line.items() if word)


def read(line: str) -> dict[str, str | None]:
    """The words of a written line; a part that is none is left out."""
    pairs = (part.partition(":") for part in line.split(","))
    return {name: word for name, colon, word in pairs if colon and word}


def _query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}
