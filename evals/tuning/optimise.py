"""The search for a better prompt: gepa chooses what to change and what to keep; asking, scoring and stopping are ours.

gepa comes with the extra `optimize`. A search is given the conversations that it may see and nothing else. It runs on a
thread, because gepa waits for its answers; everything that asks a model runs on the event loop that began it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engine.errors import ConfigurationError, ModelCallError, PromptError
from engine.model.analysis import FallbackReason
from engine.prompts import Prompt
from evals.concurrently import all_of
from evals.judging import OUT_OF_REACH
from evals.metrics.judged import View
from evals.metrics.metric import Metric
from evals.records import TurnRecord
from evals.rubric import OF_NO_USE
from evals.scoring import score
from evals.tuning.candidates import Candidate, FirstLook, Found, SearchEnd
from evals.tuning.parts import PartAnswers, source_of
from evals.tuning.reflection import Reflection, Tried
from evals.tuning.search_turns import SearchTurn
from evals.tuning.sections import sections_of, with_sections
from evals.tuning.turn_scores import TurnScore, check_shares, mean_scores, turn_scores

PATIENCE = 8  # proposals in a row that bring nothing
FIRST_LOOK = 3  # turns on which a proposal is tried first
MOST_FAILURES = 3  # reflections in a row that come to nothing
TRIES = 2  # of a turn that no model answered, beyond the repetitions of a call
ROUNDS_A_PROPOSAL = 10  # gepa may skip a round where its few turns are perfect already

ResultT = TypeVar("ResultT")
Texts = dict[str, str]  # of the sections that may change


@dataclass(frozen=True)
class Goal:
    """What is searched for: better answers by these metrics, by changing these sections of a prompt."""

    metrics: tuple[Metric, ...]
    sections: tuple[str, ...]
    seed: int = 0
    patience: int = PATIENCE


def import_gepa() -> Any:
    """gepa's `optimize`. Raises ConfigurationError where the extra is not installed."""
    try:
        from gepa import optimize
    except ImportError:
        raise ConfigurationError(
            "searching for prompts needs gepa, which is not installed: `make install` brings it, "
            "or pip install 'qbs-workbench[optimize]'"
        ) from None
    return optimize


def sections_to_search(prompt: Prompt) -> tuple[str, ...]:
    """The sections that a search changes unless told otherwise: the instructions, if they stand by themselves."""
    return ("system",) if "system" in prompt.sections else tuple(prompt.sections)


async def optimise(
    prompt: Prompt,
    examples: Sequence[SearchTurn],
    answers: PartAnswers,
    reflection: Reflection,
    goal: Goal,
    *,
    concurrency: int = 8,
    on_candidate: Callable[[Candidate], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Found:
    """Search until nothing is left to improve, progress ends, a limit of the service is reached, or `stop` is set.

    `on_candidate` is called on the search's thread with each candidate once its fate is known. What was answered is
    never asked for twice. Raises ConfigurationError without gepa, InputError for a metric that cannot score a turn.
    """
    gepa_optimize = import_gepa()
    check_shares(goal.metrics)
    told = on_candidate or _nobody
    search = _Search(prompt, examples, answers, reflection, goal, concurrency, told, stop or asyncio.Event())
    running = asyncio.ensure_future(asyncio.to_thread(search.run, gepa_optimize))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        search.abandon()
        await asyncio.wait({running})
        raise
    return search.found()


class _OverError(Exception):
    """Leaves gepa: the search is over."""


class _Search:
    """The adapter that gepa works with. Its methods run on the search's thread, its coroutines on the loop."""

    def __init__(
        self,
        prompt: Prompt,
        examples: Sequence[SearchTurn],
        answers: PartAnswers,
        reflection: Reflection,
        goal: Goal,
        concurrency: int,
        on_candidate: Callable[[Candidate], None],
        stop: asyncio.Event,
    ) -> None:
        self._first, self._examples, self._goal = prompt, tuple(examples), goal
        self._answers, self._reflection = answers, reflection
        self._concurrency, self._on_candidate, self._stop = concurrency, on_candidate, stop
        self._loop = asyncio.get_running_loop()
        self._pending: concurrent.futures.Future[Any] | None = None
        self._tried: dict[tuple[str, int], Tried] = {}  # by prompt hash and number of the example
        self._candidates = {prompt.hash: Candidate(0, prompt)}
        self._refused: list[str] = []
        self._proposals = self._in_vain = self._failures = 0
        self._ended: SearchEnd | None = None
        self._reason: FallbackReason | None = None

    def run(self, gepa_optimize: Callable[..., Any]) -> None:
        """The whole search."""
        everything = list(range(len(self._examples)))
        try:
            first = self._scores(self._first, everything)
            imperfect = [number for number in everything if (first[number].value or 0.0) < 1.0]
            self._scored(self._first, first.values())
            if not imperfect:
                self._end(SearchEnd.PERFECT)
            gepa_optimize(
                seed_candidate={name: sections_of(self._first)[name] for name in self._goal.sections},
                trainset=imperfect,
                valset=everything,
                adapter=self,
                frontier_type="instance" if len(self._goal.metrics) == 1 else "hybrid",
                reflection_minibatch_size=min(FIRST_LOOK, len(imperfect)),
                stop_callbacks=[self._is_over],
                logger=_Quiet(),
                track_best_outputs=False,
                seed=self._goal.seed,
            )
        except _OverError:
            return

    def abandon(self) -> None:
        """End at once, from the loop."""
        self._ended = self._ended or SearchEnd.STOPPED
        if self._pending is not None:
            self._pending.cancel()

    def found(self) -> Found:
        ended = self._ended or SearchEnd.PLATEAU
        candidates = tuple(self._candidates.values())
        return Found(ended, candidates, tuple(self._refused), len(self._examples), self._reason)

    # What gepa asks of an adapter

    def evaluate(self, batch: list[int], candidate: Texts, capture_traces: bool = False) -> Any:
        """Answer and score a batch of examples. A proposal that is no sound prompt scores 0 everywhere."""
        from gepa.core.adapter import EvaluationBatch

        try:
            prompt = self._prompt(candidate)
        except PromptError as error:
            self._refuse(str(error))
            nothing = [dict.fromkeys((own.name for own in self._goal.metrics), 0.0) for _ in batch]
            traces = [None] * len(batch) if capture_traces else None
            return EvaluationBatch([None] * len(batch), [0.0] * len(batch), traces, nothing)
        scores = self._scores(prompt, batch)
        self._look(prompt, batch, scores)
        return EvaluationBatch(
            outputs=[None] * len(batch),
            scores=[scores[number].value or 0.0 for number in batch],
            trajectories=[self._tried[prompt.hash, number] for number in batch] if capture_traces else None,
            objective_scores=[
                {name: value or 0.0 for name, value in scores[number].by_metric.items()} for number in batch
            ],
        )

    def make_reflective_dataset(
        self, candidate: Texts, eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The turns as they were answered, for `propose_new_texts`; gepa hands them on as they are."""
        tried = [{"tried": own} for own in eval_batch.trajectories or ()]
        return dict.fromkeys(components_to_update, tried)

    def propose_new_texts(
        self, candidate: Texts, reflective_dataset: Mapping[str, Any], components_to_update: list[str]
    ) -> Texts:
        """Sections anew. One that could not be had stays as it is, which costs nothing to try."""
        parent = self._prompt(candidate)
        texts = {}
        for name in components_to_update:
            self._proposals += 1
            tried = [own["tried"] for own in reflective_dataset[name]]
            try:
                asked = self._reflection.rewrite(parent, name, tried, self._refused, self._proposals)
                texts[name] = self._wait(asked)
                self._failures = 0
            except ModelCallError as error:
                self._failed(error.source.fallback_reason or FallbackReason.UNEXPECTED)
        self._in_vain += 1
        self._propose(parent, {**candidate, **texts})
        return texts

    # Candidates

    def _prompt(self, texts: Texts) -> Prompt:
        return with_sections(self._first, texts)

    def _propose(self, parent: Prompt, texts: Texts) -> None:
        try:
            prompt = self._prompt(texts)
        except PromptError:
            return  # evaluating it says why
        number = len(self._candidates)
        self._candidates.setdefault(prompt.hash, Candidate(number, prompt, self._candidates[parent.hash].number))

    def _look(self, prompt: Prompt, batch: Sequence[int], scores: Mapping[int, TurnScore]) -> None:
        """Note how a candidate does: on everything, or at first sight, where a bad one is given up."""
        candidate = self._candidates[prompt.hash]
        if candidate.scores is not None or candidate.parent is None:
            return
        if len(batch) == len(self._examples):
            self._scored(prompt, scores.values())
        elif candidate.first_look is None:
            parent = next(own for own in self._candidates.values() if own.number == candidate.parent)
            before = self._scores(parent.prompt, batch)
            look = FirstLook(_mean(before.values()), _mean(scores.values()), len(batch))
            self._candidates[prompt.hash] = given_up = replace(candidate, first_look=look)
            if look.own <= look.parent:
                self._on_candidate(given_up)

    def _scored(self, prompt: Prompt, scores: Any) -> None:
        best = self.found().best
        candidate = replace(self._candidates[prompt.hash], scores=mean_scores(scores, self._goal.metrics))
        self._candidates[prompt.hash] = candidate
        if best is None or (candidate.score or 0.0) > (best.score or 0.0):
            self._in_vain = 0
        self._on_candidate(candidate)

    def _refuse(self, reason: str) -> None:
        if reason not in self._refused:
            self._refused.append(reason)

    # Asking

    def _scores(self, prompt: Prompt, batch: Sequence[int]) -> dict[int, TurnScore]:
        """The scores of these examples by this prompt, asking for those that were not answered before."""
        missing = [number for number in dict.fromkeys(batch) if (prompt.hash, number) not in self._tried]
        if missing:
            self._wait(self._answer(prompt, missing))
        return {number: self._tried[prompt.hash, number].score for number in batch}

    async def _answer(self, prompt: Prompt, numbers: Sequence[int]) -> None:
        waiting = iter(numbers)
        await all_of(self._work(prompt, waiting) for _ in range(max(1, self._concurrency)))

    async def _work(self, prompt: Prompt, waiting: Iterator[int]) -> None:
        """One of the workers that share the examples."""
        for number in waiting:
            if self._stop.is_set():
                self._ended = self._ended or SearchEnd.STOPPED
            if self._ended is not None:
                return
            example = self._examples[number]
            for _ in range(TRIES):
                record = await self._answers.answer(prompt, example)
                source = source_of(record, prompt.name)
                reason = source.fallback_reason if source else None
                if reason is None or reason in OF_NO_USE or reason in OUT_OF_REACH:
                    break
            if reason is None or reason in OF_NO_USE:
                self._tried[prompt.hash, number] = self._judged(example, record)
            elif reason is FallbackReason.LIMIT_REACHED:
                self._ended = self._ended or SearchEnd.LIMIT
            else:  # a model that cannot be reached says nothing about a prompt
                self._ended, self._reason = self._ended or SearchEnd.UNANSWERED, self._reason or reason

    def _judged(self, example: SearchTurn, record: TurnRecord) -> Tried:
        metrics, labels = self._goal.metrics, {record.conversation_id: example.labels}
        counted, right = (
            score([own], labels, [example.conversation], metrics, View.MODEL) for own in (record, example.gold)
        )
        return Tried(example, record, turn_scores(counted, metrics, right)[record.conversation_id, record.turn])

    def _wait(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The result of what is asked on the loop. Raises _OverError if the search is over by then."""
        if self._ended is not None:
            coroutine.close()
            raise _OverError
        self._pending = pending = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            result = pending.result()
        except concurrent.futures.CancelledError:
            raise _OverError from None
        if self._ended is not None:
            raise _OverError
        return result

    # The end

    def _failed(self, reason: FallbackReason) -> None:
        """Note a reflection that came to nothing."""
        self._failures += 1
        if reason is FallbackReason.LIMIT_REACHED:
            self._ended = self._ended or SearchEnd.LIMIT
        elif reason in OUT_OF_REACH or self._failures >= MOST_FAILURES:
            self._ended, self._reason = self._ended or SearchEnd.UNANSWERED, self._reason or reason

    def _end(self, why: SearchEnd) -> None:
        self._ended = self._ended or why
        raise _OverError

    def _is_over(self, state: Any) -> bool:
        """gepa's question before each round."""
        best = self.found().best
        if self._stop.is_set():
            self._ended = self._ended or SearchEnd.STOPPED
        elif best is not None and (best.score or 0.0) >= 1.0:
            self._ended = self._ended or SearchEnd.PERFECT
        elif self._in_vain >= self._goal.patience or state.i >= ROUNDS_A_PROPOSAL * (self._proposals + 1):
            self._ended = self._ended or SearchEnd.PLATEAU
        return self._ended is not None


def _nobody(_candidate: Candidate) -> None:
    """Nobody wants to know."""


class _Quiet:
    """gepa tells what it does in conversations' words; that is for nobody's log."""

    def log(self, message: str) -> None:
        """Say nothing."""


def _mean(scores: Any) -> float:
    values = [own.value or 0.0 for own in scores]
    return sum(values) / max(1, len(values))
