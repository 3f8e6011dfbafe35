"""Variants by name: what `--variant` and the pages offer, and which models and prompts each means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import ConfigurationError, InputError
from evals.records import Variant
from workbench.settings import Settings
from workbench.text import UnknownNameError

MANIFEST = "MANIFEST.json"
CHOICES = ("rules", "recorded", "labels", "llm", "llm:<model>")
MEANINGS = {
    "rules": "the offline analyzer; no model, no key, no network",
    "recorded": "models' answers as they were recorded; nothing is called",
    "labels": "what people said is right, as the yardstick",
    "llm": "the models of QBS_REASONING_MODEL and QBS_FAST_MODEL",
    "llm:<model>": "one model for everything, by its litellm name; llm:<a>+<b> for reasoning and fast",
}


def variant_named(text: str, settings: Settings, prompts: Mapping[str, str], recordings: Path) -> Variant:
    """The variant that `text` names.

    `prompts` maps the names of the prompts in use to their hashes; `recordings` is the folder of the data set's
    recordings, which says whose answers they are. Raises UnknownNameError with the choices, ConfigurationError if
    no model is configured where one is needed.
    """
    if text in ("rules", "labels"):
        return Variant(name=text)
    if text == "recorded":
        reasoning, fast = recorded_models(recordings) or _configured_for_recordings(settings, recordings)
        return Variant(name="recorded", reasoning_model=reasoning, fast_model=fast, prompts=dict(prompts))
    if text == "llm":
        return llm_variant(*configured_models(settings), prompts)
    models = text.removeprefix("llm:").split("+")
    if not text.startswith("llm:") or not all(models) or len(models) > 2:
        raise UnknownNameError("variant", text, CHOICES)
    return llm_variant(models[0], models[-1], prompts)


def llm_variant(reasoning: str, fast: str, prompts: Mapping[str, str]) -> Variant:
    name = f"llm:{reasoning}" if fast == reasoning else f"llm:{reasoning}+{fast}"
    return Variant(name=name, reasoning_model=reasoning, fast_model=fast, prompts=dict(prompts))


def are_configured(settings: Settings) -> bool:
    """Whether there is any model to ask."""
    return settings.reasoning_model is not None or settings.fast_model is not None


def configured_models(settings: Settings) -> tuple[str, str]:
    """The reasoning and the fast model; one stands for both. Raises ConfigurationError if there is none."""
    reasoning = settings.reasoning_model or settings.fast_model
    fast = settings.fast_model or settings.reasoning_model
    if reasoning is None or fast is None:
        raise ConfigurationError(
            "no model is configured: set QBS_REASONING_MODEL (and QBS_FAST_MODEL), or name one as llm:<model>"
        )
    return reasoning, fast


def _configured_for_recordings(settings: Settings, recordings: Path) -> tuple[str, str]:
    """Without recordings of its own, a data set is answered from those of the configured models."""
    try:
        return configured_models(settings)
    except ConfigurationError:
        raise ConfigurationError(
            f"{recordings.parent.name} comes without recordings, and no model is configured whose own recordings "
            "could answer: set QBS_REASONING_MODEL to the one that you replayed with"
        ) from None


def covered_prompts(recordings: Path) -> tuple[dict[str, str], ...]:
    """The prompts, as content hashes by name, that the recordings of a data set hold answers to.

    MANIFEST.json names one such set as `prompts`, and may name others in a list, `covers`.
    """
    manifest = _manifest(recordings) or {}
    others = manifest.get("covers")
    named = [manifest.get("prompts"), *(others if isinstance(others, list) else [])]
    return tuple({str(name): str(digest) for name, digest in own.items()} for own in named if isinstance(own, dict))


def recorded_models(recordings: Path) -> tuple[str, str] | None:
    """Whose answers the recordings of a data set are; None if it has none."""
    manifest = _manifest(recordings)
    if manifest is None:
        return None
    try:
        return manifest["models"]["reasoning"], manifest["models"]["fast"]
    except (KeyError, TypeError):
        raise _no_models(recordings / MANIFEST) from None


def _manifest(recordings: Path) -> dict[str, Any] | None:
    from evals.jsonl import parse_object

    file = recordings / MANIFEST
    if not file.is_file():
        return None
    try:
        return parse_object(file.read_bytes())
    except ValueError:
        raise _no_models(file) from None


def _no_models(file: Path) -> InputError:
    said = 'does not say whose answers these are: {"models": {"reasoning": ..., "fast": ...}}'
    return InputError(said, file=file)
