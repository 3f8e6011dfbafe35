"""`qbs fake-model`: a model server that costs nothing, answers after a set time, and fails as often as it is told."""

from __future__ import annotations

import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.exits import say
from workbench.services import build_services
from workbench.text import count

if TYPE_CHECKING:
    from engine.llm.fake import FakeModelConfig, FakeStats, Fault

EPILOG = """\
\b
Examples:
  qbs fake-model                            answers by rules, at once
  qbs fake-model --latency-ms 200           after 200 milliseconds
  qbs fake-model --answers recordings       the answers that were recorded
  qbs fake-model --fault 429=0.1 --fault reset=0.02
                                            every tenth call is turned away,
                                            every fiftieth is cut off

\b
In another terminal, with the address it prints:
  export QBS_API_BASE=http://127.0.0.1:8600/v1 QBS_API_KEY=none
  qbs replay --variant llm:openai/fake-model

\b
The faults: length bad_json wrong_schema nan refusal null prose empty_choices
400 content_policy context_too_long 401 403 404 429 insufficient_quota 500 502
503 reset cut_body html_200 hang drip
"""


class AnswersFrom(StrEnum):
    """What the fake model answers from."""

    RULES = "rules"
    RECORDINGS = "recordings"
    SCHEMA = "schema"


def register(cli: typer.Typer) -> None:
    cli.command("fake-model", epilog=EPILOG)(fake_model)


def fake_model(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8600,
    latency_ms: Annotated[float, typer.Option(min=0, metavar="MS", help="Milliseconds before each answer.")] = 0.0,
    answers: Annotated[
        AnswersFrom, typer.Option(help="Answer by rules, from recordings, or with whatever fits the schema.")
    ] = AnswersFrom.RULES,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=RATE", help="Fail this share of calls; may be given repeatedly.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Which calls the rates hit.")] = 0,
) -> None:
    """Serve a model that costs nothing and fails as told."""
    import asyncio

    from engine.llm.fake import FakeModelConfig

    config = FakeModelConfig(
        port=port,
        latency_ms=latency_ms,
        answers=answers.value,
        recordings=_shipped_recordings() if answers is AnswersFrom.RECORDINGS else (),
        faults=fault_rates(fault or []),
        seed=seed,
    )
    asyncio.run(_serve(config))


def fault_rates(texts: list[str]) -> dict[Fault, float]:
    """Read `NAME=RATE` texts such as `429=0.1`. Raises typer.BadParameter."""
    from engine.errors import ConfigurationError
    from engine.llm.fake.faults import check_rates, fault_named

    rates = {}
    try:
        for text in texts:
            name, _, rate = text.partition("=")
            rates[fault_named(name)] = _number(rate, text)
        check_rates(rates)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    return rates


def _number(rate: str, text: str) -> float:
    try:
        return float(rate)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not NAME=RATE, such as 429=0.1", param_hint="--fault") from None


def _shipped_recordings() -> tuple[Path, ...]:
    return build_services().recording_folders


async def _serve(config: FakeModelConfig) -> None:
    """Serve until SIGINT or SIGTERM, however the process was started: a script may have put it into the background."""
    import asyncio

    from engine.llm.fake import FakeModel

    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with FakeModel(config) as fake:
        say(f"The fake model listens on {fake.base_url}   (Ctrl-C ends it)")
        say("To use it, in another terminal:")
        say(f"  export QBS_API_BASE={fake.base_url} QBS_API_KEY=none")
        say("  qbs replay --variant llm:openai/fake-model")
        say(f"What it was asked so far: {fake.base_url.removesuffix('v1')}stats")
        await told.wait()
        say(_summary(fake.stats))


def _summary(stats: FakeStats) -> str:
    faults = ", ".join(f"{name} {number}" for name, number in sorted(stats.faults.items()))
    return f"It was asked {count(stats.requests, 'time')}: {stats.answered} answered, faults: {faults or 'none'}."
