"""Imports made before they are needed: the first page's while a browser is on its way to it, the others' once it is
shown, so that opening another page does not wait for them either.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import threading
import time
from collections.abc import Iterable

# What the first page would otherwise wait for (numpy and PIL are Streamlit's, for pictures). No page needs litellm or
# instructor before somebody asks a model.
FIRST = ("workbench.views.replay", "evals.library", "evals.runs.index", "duckdb", "numpy", "PIL.Image")
OTHERS = (
    "workbench.views.compare_page",
    "workbench.views.outcomes_page",
    "workbench.views.live_page",
    "workbench.views.prompts_page",
    "workbench.views.calibration_page",
    "workbench.views.what_if_page",
    "workbench.views.demo_page",
    "engine.outcomes",  # with all that talks to Postgres
)
_BREATH = 1.0  # seconds that the browser is left to draw what it was sent
_shown = threading.Event()


def begin() -> None:
    """Import on a thread; a script that comes first finds the rest being imported."""
    threading.Thread(target=_work, name="imports", daemon=True).start()


def first_page_shown() -> None:
    """Said by the script when it has run to its end, every time."""
    _shown.set()


def import_all(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _work() -> None:
    _kept_for_good(FIRST)
    inspect.stack()  # Streamlit asks once for where it runs; the first time the answer takes a twentieth of a second
    _shown.wait()
    time.sleep(_BREATH)
    _kept_for_good(OTHERS)


def _kept_for_good(names: Iterable[str]) -> None:
    """Import what stays until the end, and have the collector of garbage pass it over.

    Streamlit collects after each run of a script, which would go through all of it again each time.
    """
    gc.disable()
    try:
        import_all(names)
        gc.freeze()
    finally:
        gc.enable()
