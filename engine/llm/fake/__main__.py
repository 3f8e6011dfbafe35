"""`python -m engine.llm.fake`: the fake model server on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ConfigurationError
from engine.llm.fake.config import FakeModelConfig
from engine.llm.fake.faults import Fault, fault_named
from engine.llm.fake.server import serve


def rates_from(texts: Sequence[str]) -> dict[Fault, float]:
    """Read `FAULT=RATE` texts such as `429=0.1`. Raises ConfigurationError."""
    rates = {}
    for text in texts:
        name, _, rate = text.partition("=")
        try:
            rates[fault_named(name)] = float(rate)
        except ValueError:
            raise ConfigurationError(f"{text!r} is not FAULT=RATE, such as 429=0.1") from None
    return rates


def script_from(text: str) -> tuple[Fault | None, ...]:
    """Read a script such as `429,ok,reset`: the faults of the first requests. Raises ConfigurationError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return tuple(None if name == "ok" else fault_named(name) for name in names)


def config_from(arguments: Sequence[str]) -> FakeModelConfig:
    """The behaviour that the command line asks for. Raises ConfigurationError."""
    given = _parser().parse_args(arguments)
    return FakeModelConfig(
        port=given.port,
        latency_ms=given.latency_ms,
        answers=given.answers,
        recordings=tuple(given.recordings),
        on_miss=given.on_miss,
        faults=rates_from(given.fault),
        script=script_from(given.script),
        recover_after=given.recover_after,
        seed=given.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.llm.fake",
        description="A model server on 127.0.0.1 that speaks OpenAI's chat-completions protocol and costs nothing.",
        epilog="example: python -m engine.llm.fake --latency-ms 200 --answers rules --fault 429=0.1 --fault reset=0.02",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="waiting time before each answer")
    parser.add_argument("--answers", choices=("schema", "rules", "recordings"), default="schema")
    parser.add_argument("--recordings", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--on-miss", choices=("error", "rules"), default="error", help="when no recording fits")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT=RATE")
    parser.add_argument("--script", default="", metavar="FAULT,ok,...", help="the faults of the first requests")
    parser.add_argument("--recover-after", type=int, metavar="N", help="fail the same request at most N times")
    parser.add_argument("--seed", type=int, default=0, help="which requests the rates hit")
    return parser


def main() -> int:
    try:
        serve(config_from(sys.argv[1:]))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
