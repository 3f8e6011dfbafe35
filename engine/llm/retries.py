"""When a call that went wrong is repeated: the only retries there are, those of every library being off."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from engine.llm.faults import FaultError
from engine.model.analysis import FallbackReason

# What may be over in a moment. A refusal, a bad request or an empty purse is not.
PASSING = frozenset(
    {
        FallbackReason.CONNECTION,
        FallbackReason.TIMEOUT,
        FallbackReason.SERVER_ERROR,
        FallbackReason.RATE_LIMITED,
        FallbackReason.EMPTY_REPLY,
    }
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `repeats` repetitions in one ask; the pause doubles from `first_pause_s` on, give or take a half.

    `jitter` gives a number in [0, 1).
    """

    repeats: int = 2
    first_pause_s: float = 0.2
    jitter: Callable[[], float] = random.random

    def pause_s(self, fault: FaultError, *, repeated: int, left_s: float) -> float | None:
        """Seconds to wait before the call is repeated once more; None if it is not.

        `repeated` counts the repetitions so far, `left_s` is what is left of the deadline. A pause that the provider
        asks for is kept; one that would outlast the deadline is not begun.
        """
        if fault.reason not in PASSING or repeated >= self.repeats:
            return None
        own = self.first_pause_s * 2**repeated * (0.5 + self.jitter())
        pause = max(own, fault.retry_after_s or 0.0)
        return pause if pause < left_s else None
