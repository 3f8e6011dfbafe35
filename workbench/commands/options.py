"""Options and arguments that mean the same in every command that has them, each declared once.

`--json` stands in `output.py`, what only comparing and judging runs takes in `judging.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal, TypeVar

import typer

from workbench.services import DEFAULT_DATASET
from workbench.settings import Settings

TenantsT = TypeVar("TenantsT", str | None, list[str] | None)


def named(tenant: TenantsT) -> TenantsT:
    """What --tenant was given. Raises BadParameter for an empty name, which a script may have made by mistake."""
    for each in tenant if isinstance(tenant, list) else [tenant]:
        if each is not None and not each.strip():
            raise typer.BadParameter("is empty: name a tenant, or leave it out")
    return tenant


Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, a unique part, a variant, or `latest`.")]
DatasetToReplay = Annotated[str | None, typer.Argument(metavar="DATASET", help=f"{DEFAULT_DATASET} if not given.")]
Split = Annotated[Literal["dev", "test"] | None, typer.Option("--split", help="Only this part of the data set.")]
Samples = Annotated[int, typer.Option("--samples", min=1, max=1000, metavar="K", help="Ask everything this often.")]

# Of commands that ask models. Each stands in the place of a setting, which `with_options` puts it in.
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", min=1, max=512, metavar="N", help="Conversations at once (QBS_CONCURRENCY)."),
]
Deadline = Annotated[
    float | None,
    typer.Option("--deadline", min=0.001, metavar="S", help="Seconds for a turn (QBS_DEADLINE_SECONDS)."),
]
LimitCost = Annotated[float | None, typer.Option("--limit-cost", min=0, metavar="USD", help="Stop at this cost.")]
LimitCalls = Annotated[int | None, typer.Option("--limit-calls", min=0, metavar="N", help="Stop at this many calls.")]
LimitTokens = Annotated[
    int | None, typer.Option("--limit-tokens", min=0, metavar="N", help="Stop at this many tokens.")
]
LimitTime = Annotated[
    float | None, typer.Option("--limit-time", min=0, metavar="S", help="Stop after this many seconds.")
]

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", callback=named, help="Whose: a name or a UUID; QBS_TENANT if not given."),
]
RecommendedSince = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only what was recommended from then on.")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="As known then; as the copy is if not given.")
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")]
# The newest number that whoever decides has seen: of a release, or of a published calibration.
Seen = Annotated[
    int | None,
    typer.Option("--since", metavar="NO", min=0, help="Only if this is still the newest number; 0 for none."),
]


def with_options(settings: Settings, **options: Any) -> Settings:
    """The settings, where the command line says otherwise with what it says."""
    return dataclasses.replace(settings, **{name: value for name, value in options.items() if value is not None})
