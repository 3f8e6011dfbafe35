"""The workbench's server: what its pages need is imported while a browser is still on its way to them."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from streamlit.starlette import App

from engine.errors import ConfigurationError

ADDRESS = "127.0.0.1"
SCRIPT = Path(__file__).parents[1] / "streamlit_app.py"

# What a page would otherwise wait for on its first run (numpy and PIL are Streamlit's, for pictures). No page needs
# litellm or instructor before somebody asks a model.
NEEDED = (
    "workbench.views.replay",
    "evals.library",
    "evals.runs.index",
    "duckdb",
    "numpy",
    "PIL.Image",
    "workbench.views.runs",
    "workbench.views.live",
    "workbench.views.compare_page",
)


@asynccontextmanager
async def warmed(_app: App) -> AsyncIterator[None]:
    """Import on a thread once the server is up; a script that comes first finds the rest being imported."""
    threading.Thread(target=import_needed, name="imports", daemon=True).start()
    yield


def import_needed() -> None:
    for name in NEEDED:
        importlib.import_module(name)


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
            "server.address": ADDRESS,
            "server.port": port,
            "server.headless": headless,
            "server.showEmailPrompt": False,
            "browser.gatherUsageStats": False,
            "logger.hideWelcomeMessage": True,
            "logger.level": "warning",
        }
    )
