"""Whether a replay's models can be asked: known beforehand where that is possible, else by whether one ever answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.analyzers import Analyzer
from engine.errors import ConfigurationError
from engine.model.analysis import Analysis, FallbackReason
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from evals.records import Variant
from workbench.settings import Settings
from workbench.text import one_of

# What a person can put right, after which the same call may well be answered.
OUT_OF_REACH = frozenset(
    {
        FallbackReason.NOT_AUTHORISED,
        FallbackReason.MODEL_NOT_FOUND,
        FallbackReason.QUOTA_EXHAUSTED,
        FallbackReason.CIRCUIT_OPEN,
    }
)
# What may pass by itself; if it does not, the circuit opens.
PASSING = frozenset(
    {
        FallbackReason.CONNECTION,
        FallbackReason.TIMEOUT,
        FallbackReason.DEADLINE,
        FallbackReason.SERVER_ERROR,
        FallbackReason.RATE_LIMITED,
    }
)


def models_to_ask(variant: Variant, settings: Settings) -> tuple[str, ...]:
    """The models that a replay of `variant` may really ask; none where only recordings answer."""
    if not variant.name.startswith("llm:") or settings.recording_mode == "recorded":
        return ()
    return tuple(dict.fromkeys(filter(None, (variant.reasoning_model, variant.fast_model))))


def check_askable(models: Sequence[str], settings: Settings) -> None:
    """Raises ConfigurationError where asking can only be in vain: no key, or a limit of money and no known price.

    The model libraries must have been imported, and providers' clients told what `.env` says.
    """
    from engine.llm.readiness import has_price, missing_keys

    own_server = settings.api_base is not None or settings.api_key is not None
    for model in models:
        if not own_server and (missing := missing_keys(model)):
            raise ConfigurationError(
                f"{model} needs a key, and {one_of(missing)} is not set: set it in the environment or in .env "
                "(or QBS_API_BASE and QBS_API_KEY for a server of your own)"
            )
        if settings.max_cost_usd is not None and not has_price(model):
            raise ConfigurationError(
                f"the price of {model} is not known, so that with --limit-cost (QBS_MAX_COST_USD) nothing can be "
                "asked; use --limit-calls or --limit-tokens instead"
            )


class Reach:
    """What one session knows of its models: whether any of them answered, and why it ends if none can be reached.

    `ended` is set once nothing more is to be asked; `reason` is then what stands in the way, or None for a limit.
    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.reason: FallbackReason | None = None
        self._answered = False
        self._first: FallbackReason | None = None

    def takes(self, analysis: Analysis) -> bool:
        """Whether a turn is to be kept as it is; if it is not and nothing `ended`, it is to be asked again."""
        sources = analysis.sources.values()
        reasons = [source.fallback_reason for source in sources if source.fallback_reason is not None]
        if FallbackReason.LIMIT_REACHED in reasons:
            self.ended.set()
            return False
        vain = [reason for reason in reasons if reason in OUT_OF_REACH | PASSING]
        self._answered |= any(source.kind == "llm" for source in sources) or len(vain) < len(reasons)
        if self._answered or not vain:
            return True
        self._first = self._first or next((r for r in vain if r is not FallbackReason.CIRCUIT_OPEN), None)
        if OUT_OF_REACH.intersection(vain):
            self.reason = self._first or FallbackReason.CIRCUIT_OPEN
            self.ended.set()
        return False


class AskingAnalyzer:
    """An analyzer whose turns are only taken while models may still be asked, and once one of them can be reached.

    Until a model has answered in this session, a turn that none could answer is asked again, until one does or the
    circuit opens: a labelled fallback in every turn is of no use to anybody, and would count as done.
    """

    def __init__(self, analyzer: Analyzer, reach: Reach) -> None:
        self._analyzer = analyzer
        self._reach = reach

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        """Never returns once the reach has ended: whoever runs this cancels it then."""
        while not self._reach.ended.is_set():
            analysis = await self._analyzer.analyze(state, turn, history)
            if self._reach.takes(analysis):
                return analysis
        await asyncio.Event().wait()
        raise AssertionError("waits for ever")
