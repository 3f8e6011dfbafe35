"""Whether a model can be asked at all, known before anything is: its provider's key, and its price."""

from __future__ import annotations

import os

from engine.llm.client import estimated_cost_usd
from engine.llm.libraries import litellm


def missing_keys(model: str) -> tuple[str, ...]:
    """The environment variables with keys that the provider of `model` wants and that are not set.

    Empty where a key may come another way (cloud profiles, a server of one's own) or litellm does not know.
    `engine.llm.libraries` must have been imported.
    """
    wanted = litellm().validate_environment(model)["missing_keys"]
    if not all(name.endswith("_API_KEY") for name in wanted) or any(_has_own_address(name) for name in wanted):
        return ()
    return tuple(wanted)


def has_price(model: str) -> bool:
    """Whether litellm's price list knows `model`; without that no limit of money can be kept."""
    return estimated_cost_usd(model, 1, 1) is not None


def _has_own_address(key: str) -> bool:
    """Whether the provider's address is set, so that a server that wants no key may be meant."""
    provider = key.removesuffix("_API_KEY")
    return any(os.environ.get(f"{provider}_{ending}") for ending in ("API_BASE", "BASE_URL", "API_URL"))
