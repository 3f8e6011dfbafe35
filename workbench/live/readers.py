"""Who answers in the conversations that are talked: a variant each, with what asks models for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.live.steps import Steps
from workbench.live.values import Answers
from workbench.presenters.live_answers import RECORDED
from workbench.presenters.live_thinking import Step
from workbench.services import Services
from workbench.variants import covered_prompts, variant_named

if TYPE_CHECKING:
    from engine.llm.service import ModelService
    from evals.records import Variant


@dataclass(frozen=True, slots=True)
class Reader:
    """A variant, with what asks models for it. `covered` are the prompts that there are recorded answers to."""

    variant: Variant
    service: ModelService
    covered: tuple[dict[str, str], ...] = ()

    @property
    def asks_models(self) -> bool:
        return self.variant.reasoning_model is not None and self.variant.name != RECORDED


class Readers:
    """One reader for each variant, for as long as the process lives."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._readers: dict[str, Reader] = {}
        self._warm: set[str] = set()

    def of(self, answers: Answers) -> Reader:
        from engine.prompts import ANALYSIS_PROMPTS

        prompts = self._services.prompts().hashes(ANALYSIS_PROMPTS)
        variant = variant_named(answers.by, self._services.settings, prompts, answers.recordings or Path())
        if variant.name not in self._readers:
            service = self._services.model_service_for(variant)
            covered = covered_prompts(answers.recordings) if variant.name == RECORDED and answers.recordings else ()
            self._readers[variant.name] = Reader(variant, service, covered)
        return self._readers[variant.name]

    async def warm_up(self, answers: Answers, steps: Steps) -> None:
        """Load what asks models before the clock of a turn runs: the first time that takes seconds.

        A recorded answer needs none of it, unless it is not in order.
        """
        reader = self.of(answers)
        if reader.asks_models and reader.variant.name not in self._warm:
            steps.begin(Step.PREPARING)
            await reader.service.warm_up()
            self._warm.add(reader.variant.name)

    async def aclose(self) -> None:
        for reader in self._readers.values():
            await reader.service.aclose()
