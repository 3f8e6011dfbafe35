"""The answers of the What if page, each kept for as long as it cannot have changed. Keys begin with the tenant."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import streamlit as st

from engine.state.tenants import tenant_uuid
from evals.learning.off_policy import Policy, WhatIf
from evals.learning.off_policy.policies import table_of
from workbench.background import Job, Report, Work, background
from workbench.views import calibration_tenants, reading
from workbench.views import what_if_place as place
from workbench.views.calibration_tenants import Stamp
from workbench.what_ifs import WhatIfs

_READ_SECONDS = 120.0
_MOST_KEPT = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the outcomes as they are."""

    tenant: UUID
    policy: str
    by: tuple[str, ...]
    lines: tuple[str, ...]
    stamp: Stamp

    @property
    def takes_long(self) -> bool:
        """Whether it has to be asked beside the page: a variant answers every turn anew."""
        return self.policy.startswith("variant:")

    @property
    def key(self) -> str:
        return f"what if {self.tenant} {self.policy} {' '.join(self.by)} {self.stamp[1]}"


def asked(tenant: str, policy: str, by: tuple[str, ...], lines: tuple[str, ...]) -> Asked:
    """The question of now. Raises LockedError if another process works on the copy for long."""
    calibration_tenants.prepare(tenant)
    return Asked(tenant_uuid(tenant), policy, by, lines, calibration_tenants.store_stamp())


def answer(question: Asked) -> WhatIf | None:
    """The answer; None for one that takes long and is not there yet. Raises InputError for what cannot be asked."""
    return _answers().get(question) if question.takes_long else _answered(question)


def job(question: Asked) -> Job | None:
    return background().job(question.key)


def begin(question: Asked, title: str) -> None:
    """Ask it beside the page."""
    background().submit(question.key, title, _asking(question))


def _asking(question: Asked) -> Work:
    async def work(report: Report, stop: Any) -> str:
        found = await _ask(question)
        answers = _answers()
        answers[question] = found
        while len(answers) > _MOST_KEPT:
            del answers[next(iter(answers))]
        return "Asked."

    return work


@st.cache_resource(show_spinner="Weighing the outcomes.", max_entries=_MOST_KEPT)
def _answered(question: Asked) -> WhatIf:
    return asyncio.run(_ask(question))


async def _ask(question: Asked) -> WhatIf:
    policy: str | Policy = question.policy
    if policy == "table":
        policy = table_of("the table", [place.read(line) for line in question.lines], name="by segment")
    return await WhatIfs(reading.services(), question.tenant).ask(policy, by=question.by)


@cache
def _answers() -> dict[Asked, WhatIf]:
    """What was asked beside the page: for the process, as its jobs are."""
    return {}
