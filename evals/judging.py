"""The questions of a run before a judge: bounded concurrency, resumable, every judgement kept and paid for once."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.errors import InputError
from engine.model.analysis import FallbackReason
from engine.model.conversation import Conversation
from evals.concurrently import all_of
from evals.judgements import Judge, Judgement, TurnQuestion, judged_by, question_of
from evals.progress import ENOUGH_SECONDS, ENOUGH_TURNS
from evals.records import TurnRecord
from evals.rubric import SECONDS, QuestionJudge, Unjudged
from evals.runs.judgements import Submit, kept_judgements, writing_judgements

if TYPE_CHECKING:
    from engine.llm.service import ModelService
    from engine.prompts import PromptLibrary
    from evals.runs.folder import RunFolder

REPEATS = 3
CONCURRENCY = 8

# Nothing more can be had from the judge until a person has put something right, or some time has passed.
OUT_OF_REACH = frozenset(
    {
        FallbackReason.NOT_AUTHORISED,
        FallbackReason.MODEL_NOT_FOUND,
        FallbackReason.QUOTA_EXHAUSTED,
        FallbackReason.CIRCUIT_OPEN,
    }
)

MOST_IN_VAIN = 10  # asks, before the first that is answered

_SAYS_NOTHING = (FallbackReason.CIRCUIT_OPEN, FallbackReason.LIMIT_REACHED)

# `failed`: everything was asked, and some of it was not answered.
Ended = Literal["complete", "stopped", "limit", "unanswered", "failed"]


@dataclass(frozen=True, slots=True)
class JudgingProgress:
    """`done` of `total` judgements are on disk: `questions` times the repeats.

    `failures` counts by reason what was asked in vain in this session; `reason` is what ended it where nothing could be
    had from the judge. `cost_usd` is what the judgements cost whenever they were paid for, with this session's
    failures; None once a price is not known. `ended` is None while it goes on.
    """

    done: int
    total: int
    questions: int
    failures: Mapping[FallbackReason, int]
    cost_usd: float | None
    per_second: float | None
    seconds_left: float | None
    ended: Ended | None = None
    reason: FallbackReason | None = None


async def judge(
    folder: RunFolder,
    conversations: Sequence[Conversation],
    service: ModelService,
    model: str,
    *,
    repeats: int = REPEATS,
    prompts: PromptLibrary | None = None,
    concurrency: int = CONCURRENCY,
    deadline_s: float = SECONDS,
    on_progress: Callable[[JudgingProgress], None] | None = None,
    stop: asyncio.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> JudgingProgress:
    """Have `model` judge what was not judged yet of the questions in the run's `conversations`, each `repeats` times.

    Judgements are kept beside the run's turns as they come; asking again does only what is missing. A judgement that
    could not be had is counted by its reason and asked for the next time. Once `stop` is set, a limit is reached, or
    the model cannot be reached or gives nothing of use, nothing new is asked; what is under way is finished and kept.

    Raises InputError if the run has no question to judge, PromptError for a rubric that cannot be filled in,
    LockedError if another process judges this run, RunDamagedError, OSError.
    """
    asking = QuestionJudge(service, model, prompts, deadline_s=deadline_s)
    questions = questions_of(folder.records(), {conversation.id for conversation in conversations})
    if not questions:
        raise InputError(f"the run {folder.run_id} has no questions that could be judged")
    tally = _Tally(len(questions), repeats, clock)
    session = _Session(asking, conversations, tally, stop or asyncio.Event(), on_progress)
    with writing_judgements(folder.path, session.on_disk) as submit:
        there = judged_already(questions, kept_judgements(folder.path), asking.judge, repeats)
        missing = session.missing(questions, there)
        await all_of(session.work(missing, submit) for _ in range(max(1, concurrency)))
    await asyncio.sleep(0)  # what the writer acknowledged last is counted now
    return session.report(final=True)


def questions_of(records: Iterable[TurnRecord], conversation_ids: Iterable[str]) -> tuple[TurnQuestion, ...]:
    """What was recommended in these conversations, each question after a turn once, in an order made by chance.

    The order depends on conversation and turn alone: where a limit ends the judging, what was judged is a fair part of
    the run, and the same part of every run over these conversations.
    """
    ids = set(conversation_ids)
    found = {question_of(record) for record in records if record.conversation_id in ids}
    return tuple(sorted((question for question in found if question is not None), key=_by_chance))


def judged_already(
    questions: Iterable[TurnQuestion], kept: Iterable[Judgement], judge: Judge, repeats: int
) -> tuple[Judgement, ...]:
    """Those of the judgements that need not be asked for: of these questions, by this judge, within the repeats."""
    wanted = set(questions)
    return tuple(own for own in judged_by(judge, kept) if own.about in wanted and own.repeat < repeats)


def _by_chance(question: TurnQuestion) -> tuple[str, str]:
    return hashlib.sha256(f"{question.conversation_id} {question.turn}".encode()).hexdigest(), question.text


@dataclass(slots=True)
class _Tally:
    """Counts what reached the disk and what was asked in vain."""

    questions: int
    repeats: int
    clock: Callable[[], float]
    done: int = 0
    earlier: int = 0
    cost_usd: float | None = 0.0
    failures: Counter[FallbackReason] = field(default_factory=Counter)
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock()

    def count(self, judgement: Judgement) -> None:
        self.done += 1
        self._spend(judgement.source.cost_usd)

    def count_earlier(self, judgement: Judgement) -> None:
        """Count what an earlier session did, which says nothing about today's rate."""
        self.count(judgement)
        self.earlier += 1

    def count_failure(self, unjudged: Unjudged) -> FallbackReason:
        reason = unjudged.source.fallback_reason or FallbackReason.UNEXPECTED
        self.failures[reason] += 1
        if unjudged.source.attempts:
            self._spend(unjudged.source.cost_usd)
        return reason

    def progress(self, ended: Ended | None, reason: FallbackReason | None) -> JudgingProgress:
        total, now, seconds = self.questions * self.repeats, self.done - self.earlier, self.clock() - self.began
        rate = now / seconds if now and seconds > 0 else None
        telling = rate is not None and (now >= ENOUGH_TURNS or seconds >= ENOUGH_SECONDS)
        left = max(0, total - self.done) / rate if rate is not None and telling else None
        failures = dict(self.failures)
        return JudgingProgress(self.done, total, self.questions, failures, self.cost_usd, rate, left, ended, reason)

    def _spend(self, cost_usd: float | None) -> None:
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd


class _Session:
    """One attempt at having everything judged."""

    def __init__(
        self,
        asking: QuestionJudge,
        conversations: Sequence[Conversation],
        tally: _Tally,
        stop: asyncio.Event,
        on_progress: Callable[[JudgingProgress], None] | None,
    ) -> None:
        self._asking = asking
        self._conversations = {conversation.id: conversation for conversation in conversations}
        self._tally = tally
        self._stop = stop
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._over: Literal["limit", "unanswered"] | None = None
        self._reason: FallbackReason | None = None
        self._answered = 0

    def missing(
        self, questions: Sequence[TurnQuestion], there: Sequence[Judgement]
    ) -> Iterator[tuple[TurnQuestion, int]]:
        """What is left to ask, each question once before any is asked again; what is `there` is counted as done."""
        for judgement in there:
            self._tally.count_earlier(judgement)
        done = {(judgement.about, judgement.repeat) for judgement in there}
        asks = ((question, repeat) for repeat in range(self._tally.repeats) for question in questions)
        return (ask for ask in asks if ask not in done)

    async def work(self, asks: Iterator[tuple[TurnQuestion, int]], submit: Submit) -> None:
        """One of the workers that share `asks`."""
        for question, repeat in asks:
            if self._stop.is_set() or self._over is not None:
                return
            answer = await self._asking.rate(self._conversations[question.conversation_id], question, repeat)
            if isinstance(answer, Unjudged):
                self._note(self._tally.count_failure(answer))
            else:
                self._answered += 1
                submit(answer)

    def on_disk(self, judgements: Sequence[Judgement]) -> None:
        self._loop.call_soon_threadsafe(self._acknowledge, judgements)

    def report(self, *, final: bool = False) -> JudgingProgress:
        progress = self._tally.progress(self._ended() if final else None, self._reason)
        if self._on_progress is not None:
            self._on_progress(progress)
        return progress

    def _acknowledge(self, judgements: Sequence[Judgement]) -> None:
        for judgement in judgements:
            self._tally.count(judgement)
        self.report()

    def _note(self, reason: FallbackReason) -> None:
        """End where asking on is in vain. What opened the circuit says more than that it is open."""
        in_vain = self._answered == 0 and self._tally.failures.total() >= MOST_IN_VAIN
        if reason is FallbackReason.LIMIT_REACHED:
            self._over = self._over or "limit"
        elif reason in OUT_OF_REACH or in_vain:
            self._over = self._over or "unanswered"
            others = [known for known, _ in self._tally.failures.most_common() if known not in _SAYS_NOTHING]
            self._reason = self._reason or next(iter(others), reason)

    def _ended(self) -> Ended:
        if self._tally.done >= self._tally.questions * self._tally.repeats:
            return "complete"
        return self._over or ("stopped" if self._stop.is_set() else "failed")
