"""The workbench's server, on this machine's own address only."""

from __future__ import annotations

import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamlit.starlette import App

from engine.errors import ConfigurationError
from workbench import warming

ADDRESS = "127.0.0.1"
SCRIPT = Path(__file__).parents[1] / "streamlit_app.py"
CONFIGURATION = SCRIPT.parent / ".streamlit" / "config.toml"


@asynccontextmanager
async def warmed(_app: App) -> AsyncIterator[None]:
    """What pages need is imported from the moment the server is up."""
    warming.begin()
    yield


def serve(port: int, *, headless: bool) -> None:
    """Serve until stopped. What is given here outranks every configuration file, so none opens it to the network.

    Raises ConfigurationError if the pages are not there.
    """
    if not SCRIPT.is_file():
        raise ConfigurationError(f"{SCRIPT} is not there: `qbs app` runs from a checkout of the project")
    # Told to end, the server shuts down and sends itself the same signal again, which by default ends the process as
    # it is: what is to be tidied up at the end, such as a Postgres of our own, would stay.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    App(SCRIPT, lifespan=warmed).run(
        config={
            **_configured(),
            "server.address": ADDRESS,
            "server.port": port,
            "server.headless": headless,
            "server.showEmailPrompt": False,
            "browser.gatherUsageStats": False,
            "logger.hideWelcomeMessage": True,
            "logger.level": "warning",
        }
    )


def _configured() -> dict[str, Any]:
    """The project's own configuration by option: from another folder than its own, nobody else would read it."""
    return dict(_options(tomllib.loads(CONFIGURATION.read_text(encoding="utf-8")))) if CONFIGURATION.is_file() else {}


def _options(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _options(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
