"""Runs before a judge, as people ask for it: which judge, how often, up to which limit; and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.evaluation import Evaluation
from evals.judge_agreement import Agreements, agreements
from evals.judgements import Judge, Judgement, Scale, judged_by
from evals.judging import JudgingProgress, judge, judged_already, questions_of
from evals.metrics.judged import View
from evals.metrics.judged_by_model import METRICS, SCALE_OF
from evals.records import Estimate
from evals.rubric import SECONDS, rubric_in_use
from evals.runs.judgements import judgements_about, kept_judgements
from evals.scoring import score
from workbench.asking import check_askable
from workbench.services import Services

if TYPE_CHECKING:
    from evals.judgements import TurnQuestion


@dataclass(frozen=True, slots=True)
class Judging:
    """How a session ended, after `seconds`; None where everything had been judged before and nobody was asked.

    `out_of_time` says that the limit of time stopped it and no person did.
    """

    judge: Judge
    progress: JudgingProgress
    seconds: float | None
    out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class JudgedFigures:
    """What a judge thinks of a run, by the name of the metric, and what that judge's ratings are worth, by scale."""

    figures: dict[str, Estimate]
    agreements: Agreements

    def of(self, scale: Scale) -> dict[str, Estimate]:
        """The figures on one scale, by the name of the metric."""
        return {name: own for name, own in self.figures.items() if SCALE_OF[name] is scale}


def questions(evaluation: Evaluation) -> tuple[TurnQuestion, ...]:
    """What was recommended in the run, as far as its conversations are as they were."""
    return questions_of(evaluation.folder.records(), evaluation.matched.ids)


async def have_judged(
    services: Services,
    evaluation: Evaluation,
    model: str,
    repeats: int,
    *,
    deadline_s: float = SECONDS,
    on_progress: Callable[[JudgingProgress], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Judging:
    """Have `model` judge what it has not judged yet of a run, by the rubric that comes with the project.

    Raises ConfigurationError, before anything is written, where asking can only be in vain, and what
    `evals.judging.judge` raises.
    """
    settings, stop = services.settings, stop or asyncio.Event()
    began, asks = time.monotonic(), not is_judged(evaluation, judge_named(model), repeats)
    async with services.model_service() as service:
        if asks:
            await service.warm_up()
            check_askable((model,) if settings.recording_mode != "recorded" else (), settings)
        with _time_limit(settings.max_seconds, stop) as time_is_up:
            progress = await judge(
                evaluation.folder,
                evaluation.matched.conversations,
                service,
                model,
                repeats=repeats,
                concurrency=settings.concurrency,
                deadline_s=deadline_s,
                on_progress=on_progress,
                stop=stop,
            )
    seconds = time.monotonic() - began if asks else None
    return Judging(judge_named(model), progress, seconds, out_of_time=time_is_up.is_set())


def judge_named(model: str) -> Judge:
    """The model with the rubric in use."""
    return Judge(model=model, rubric=rubric_in_use().ref)


def is_judged(evaluation: Evaluation, by: Judge, repeats: int) -> bool:
    """Whether a judge has said everything that is wanted of it."""
    asked = questions(evaluation)
    there = judged_already(asked, kept_judgements(evaluation.folder.path), by, repeats)
    return len(there) >= len(asked) * repeats


def figures_of(services: Services, evaluation: Evaluation, by: Judge) -> JudgedFigures:
    """What a judge thinks of a run's own answers (without fallbacks), and how far it agrees with people.

    The agreement is over all that it judged in any run of this data set: a judge is the same whomever it judges.
    """
    return JudgedFigures(
        _figures(evaluation, judged_by(by, kept_judgements(evaluation.folder.path))),
        agreements(
            judged_by(by, judgements_about(services.runs_folder, evaluation.dataset)), evaluation.dataset.ratings
        ),
    )


def _figures(evaluation: Evaluation, judgements: tuple[Judgement, ...]) -> dict[str, Estimate]:
    ids = set(evaluation.matched.ids)
    records = (record for record in evaluation.folder.records() if record.conversation_id in ids)
    scores = score(records, {}, evaluation.matched.conversations, METRICS, View.MODEL, judgements=judgements)
    return scores.estimates()


@contextmanager
def _time_limit(seconds: float | None, stop: asyncio.Event) -> Iterator[asyncio.Event]:
    """Set `stop` once the time is up. What it gives is set too then, unless somebody had stopped it before."""
    time_is_up = asyncio.Event()

    def end() -> None:
        if not stop.is_set():
            time_is_up.set()
            stop.set()

    timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, end)
    try:
        yield time_is_up
    finally:
        if timer is not None:
            timer.cancel()
