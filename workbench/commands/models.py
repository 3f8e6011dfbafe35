"""`--model`: the model that it names, or else those that are configured."""

from __future__ import annotations

from engine.errors import ConfigurationError
from workbench.settings import Settings
from workbench.variants import are_configured, configured_models


def named_or_configured(model: str | None, settings: Settings) -> tuple[str, str]:
    """The reasoning and the fast model. Raises ConfigurationError where none is named and none is configured."""
    if model:
        return model, model
    if not are_configured(settings):
        raise ConfigurationError("no model is configured: name one with --model, or set QBS_REASONING_MODEL")
    return configured_models(settings)
