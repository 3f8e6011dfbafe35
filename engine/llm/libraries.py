"""litellm and instructor: imported when they are first needed, and told to be quiet and to stay offline."""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import importlib
import logging
import os
import threading
import warnings
from typing import Any

# Their messages quote prompts, answers and sometimes keys.
_TALKATIVE = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "instructor", "openai", "httpx", "httpcore")

_IMPORTING = threading.Lock()


async def import_libraries() -> None:
    """Import both (seconds, once). The loop goes on meanwhile."""
    if not _litellm.cache_info().currsize:
        await asyncio.to_thread(litellm)
    await import_instructor()


async def import_instructor() -> None:
    """Import instructor (most of a second, once). The loop goes on meanwhile."""
    if not _instructor.cache_info().currsize:
        await asyncio.to_thread(instructor)


def litellm() -> Any:
    """litellm, set up."""
    if _litellm.cache_info().currsize:
        return _litellm()
    with _IMPORTING:
        return _litellm()


def instructor() -> Any:
    """instructor, with what is used of it; it does without litellm."""
    if _instructor.cache_info().currsize:
        return _instructor()
    with _IMPORTING:
        return _instructor()


@functools.cache
def _litellm() -> Any:
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # or it reads a .env file by itself
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it fetches a price list
    # Its own HTTP client for OpenAI's protocol, as for every other provider: the SDK takes a millisecond more a call.
    os.environ["EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER"] = "True"
    library: Any = importlib.import_module("litellm")
    library.suppress_debug_info = True
    library.telemetry = False
    # It prepares a call on a thread; one that is cancelled meanwhile is dropped unasked, which is as it should be.
    warnings.filterwarnings("ignore", message="coroutine '.*async_completion' was never awaited")
    _hush()
    # What was imported never goes away; without this, every full collection looks at each of a million objects.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else extension modules take what was frozen for leaks when the process ends
    return library


@functools.cache
def _instructor() -> Any:
    library: Any = importlib.import_module("instructor")
    _ = library.OpenAISchema, library.from_litellm  # it imports its parts when they are first named
    _hush()
    return library


def _hush() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
