"""What a step of the guided demo is: where it leads, and one sentence of what is to be seen there, with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evals.metrics.metric import Unit
from evals.records import Estimate
from evals.report import figures

Address = Mapping[str, str | list[str]]
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with all that is needed to believe it. `n` says what it rests on."""

    what: str
    value: str
    n: str
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demo. `page` is the title of the page that it leads to.

    `sentence` says what is to be seen. Where something is missing, it says what, and `ready` is false.
    """

    key: str
    page: str
    title: str
    minutes: float
    sentence: str
    address: Address
    figures: tuple[Figure, ...] = ()
    simulated: bool = False
    ready: bool = True


def difference(found: Estimate, unit: Unit) -> str:
    around = figures.difference_interval(found.low, found.high, unit)
    return f"{figures.difference(found.value, unit)} {around}".rstrip()
