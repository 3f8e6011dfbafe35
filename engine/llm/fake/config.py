"""How a fake model is to behave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.errors import ConfigurationError
from engine.llm.fake.answers import Answers
from engine.llm.fake.faults import Fault, check_rates

AnswersName = Literal["schema", "rules", "recordings"]
OnMiss = Literal["error", "rules"]


@dataclass(frozen=True, slots=True)
class FakeModelConfig:
    """Raises ConfigurationError where it contradicts itself.

    `port` 0 takes a free one. `answers` is one of the ways that come with the server, or any object with an `answer`
    method. `recordings` are the folders for `answers="recordings"`; `on_miss` says what follows where they have
    nothing: an error (404, code `no_recording`) or the rules. `latency_ms` passes before every answer and every fault.
    `faults` are rates by fault, drawn by `seed` and request number; `script` fixes the first requests (None: no fault);
    `recover_after` caps how often the same request is failed. `retry_after_s` goes into the header of a 429,
    `drip_s` lies between two bytes of a drip.
    """

    port: int = 0
    latency_ms: float = 0.0
    answers: AnswersName | Answers = "schema"
    recordings: tuple[Path, ...] = ()
    on_miss: OnMiss = "error"
    faults: Mapping[Fault, float] = field(default_factory=dict)
    script: tuple[Fault | None, ...] = ()
    recover_after: int | None = None
    seed: int = 0
    retry_after_s: float = 1.0
    drip_s: float = 1.0

    def __post_init__(self) -> None:
        check_rates(self.faults)
        if min(self.port, self.latency_ms, self.retry_after_s, self.drip_s, self.recover_after or 0) < 0:
            raise ConfigurationError("port, latency, waiting times and recover_after of a fake model are 0 or more")
        if self.answers == "recordings" and not self.recordings:
            raise ConfigurationError("a fake model that answers from recordings needs at least one folder of them")
