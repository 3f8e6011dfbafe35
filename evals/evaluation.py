"""A run judged: its conversations and labels found, every turn counted once, and the counts kept for the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError
from evals.collecting import rarely_collected
from evals.judge_agreement import Agreements, agreements, worth
from evals.judgements import Judge, judged_by, shared_judge
from evals.library import Dataset
from evals.matching import Matched, matched, named
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.metrics.metric import Metric
from evals.origins import Origin, origin_words
from evals.records import Estimate, RunSpec, TurnRecord
from evals.runs.folder import FINISHED, RunFolder
from evals.runs.judgements import judgements_about, judgements_hash, kept_judgements
from evals.runs.manifest import engine_hash
from evals.runs.replays import replayed_records
from evals.scoring import Scores, score, tallies_of

if TYPE_CHECKING:
    from evals.runs.counts import CountStore, ScoringKey

OnTurn = Callable[[], None]


@dataclass(frozen=True)
class Evaluation:
    """One run beside the conversations and labels that it is judged against.

    `matched` are the conversations that the data set still holds as they were; only those are judged. `notes` are what
    a reader has to know about that, in sentences.
    """

    folder: RunFolder
    dataset: Dataset
    matched: Matched
    judge: Judge | None = None  # whose ratings of questions count, if anybody's
    store: CountStore | None = None

    @property
    def run_id(self) -> str:
        return self.folder.run_id

    @cached_property
    def variant(self) -> str:
        """What answered: equal for runs that are repeats of each other."""
        return variant_key(self.folder.manifest.spec)

    @cached_property
    def unlabelled(self) -> tuple[str, ...]:
        return tuple(id_ for id_ in self.matched.ids if not self.dataset.labels.get(id_))

    @cached_property
    def agreements(self) -> Agreements | None:
        """What the judge's ratings are worth, by what it judged in any run of the data set; None without one."""
        if self.judge is None:
            return None
        ratings = judged_by(self.judge, judgements_about(self.folder.path.parent, self.dataset))
        return agreements(ratings, self.dataset.ratings)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes())

    @cached_property
    def _scores(self) -> dict[View, Scores]:
        return {}

    def scores(
        self, view: View = View.MODEL, metrics: Sequence[Metric] = METRICS, *, on_turn: OnTurn | None = None
    ) -> Scores:
        """What the run is worth in this view, by these metrics.

        From the store if it is there, else counted turn by turn and kept; a run that is not complete is never kept.
        `on_turn` is called for every turn that is counted; what it raises ends the counting. Raises InputError if the
        run has no turns, RunDamagedError if one was altered.
        """
        if view not in self._scores:
            self._scores[view] = self._kept(view) or self._counted(view, on_turn)
        return only_metrics(self._scores[view], metrics)

    def estimates(self, view: View = View.MODEL, metrics: Sequence[Metric] = METRICS) -> dict[str, Estimate]:
        """Every metric with its interval, by name; once it was scored, from sums that the database makes."""
        from evals.scoreboard import scoreboard

        key = self.key(view)
        if self.store is not None and key is not None and (found := scoreboard(self.store, key, metrics)) is not None:
            return found
        return self.scores(view, metrics).estimates()

    def key(self, view: View) -> ScoringKey | None:
        """What the store keeps these scores under; None for a run that still grows."""
        from evals.runs.counts import ScoringKey

        finished = self.folder.path / FINISHED
        if not finished.exists():
            return None
        ratings = f"{self.judge!r} {judgements_hash(self.folder.path)}" if self.judge else ""
        judged_against = f"{self._yardstick} {ratings}"
        return ScoringKey(
            run_id=self.run_id,
            view=view,
            answers=_sha(finished.read_bytes()),
            labels=_sha(judged_against.encode()),
            source=source_hash(),
        )

    @cached_property
    def _yardstick(self) -> str:
        """Hashes of the conversations and labels; of a large data set they take seconds."""
        ids = self.matched.ids
        return f"{self.dataset.hash_of(ids)} {self.dataset.labels_hash(ids)}"

    def _kept(self, view: View) -> Scores | None:
        key = self.key(view)
        return None if self.store is None or key is None else self.store.get(key)

    def _counted(self, view: View, on_turn: OnTurn | None) -> Scores:
        with rarely_collected():
            counted = score(
                self._records(on_turn or _nobody),
                self.dataset.labels,
                self.matched.conversations,
                view=view,
                name=self.run_id,
                variant=self.variant,
                judgements=judged_by(self.judge, kept_judgements(self.folder.path)),
                before=self._answered_before(),
            )
        if not counted.records:
            raise InputError(f"the run {self.run_id} has no turns yet that could be judged")
        key = self.key(view)
        if self.store is not None and key is not None:
            self.store.put(key, counted)
        return counted

    def _records(self, on_turn: OnTurn) -> Iterator[TurnRecord]:
        for record in replayed_records(self.folder, self.matched.customer_turns):
            on_turn()
            yield record

    @cached_property
    def _source_of_turns(self) -> RunFolder | None:
        """The run that single turns were picked from, if this run is about such and that one is still there."""
        picked = self.folder.manifest.spec.picked
        path = None if picked is None else self.folder.path.parent / picked.run_id
        return RunFolder.open(path) if path is not None and path.is_dir() else None

    def _answered_before(self) -> list[TurnRecord] | None:
        if self._source_of_turns is None:
            return None
        return list(replayed_records(self._source_of_turns, self.matched.customer_turns))

    def _notes(self) -> Iterator[str]:
        changed, missing = self.matched.changed, self.unlabelled
        if changed:
            yield (
                f"{self.run_id}: {len(changed)} of its conversations changed since or are gone, "
                f"and are left out: {named(changed)}"
            )
        if shown := self.matched.shown:
            yield (
                f"{self.run_id}: {len(shown)} of its conversations are shown in its prompts as examples, "
                f"and are left out: {named(shown)}"
            )
        if len(missing) == len(self.matched.ids):
            yield f"{self.dataset.name} has no labels for this run, so that only what needs none is judged"
        elif missing:
            yield f"{self.dataset.name} has no labels for {named(missing)}: there only what needs none is judged"
        if self.folder.manifest.spec.picked is not None and self._source_of_turns is None:
            yield f"the run whose turns {self.run_id} answers is gone: whether it repeats questions cannot be told"
        if self.folder.totals is None:
            yield f"{self.run_id} is not complete: what it has so far is judged"
        if self.agreements is not None and self.judge is not None:
            yield f"{self.judge.model} judged the questions; {worth(self.agreements)}"
        if self.dataset.origin in (Origin.WRITTEN, Origin.SIMULATED):
            yield f"The conversations were {origin_words(self.dataset.origin)}"


def evaluate(folder: RunFolder, dataset: Dataset, store: CountStore | None = None) -> Evaluation:
    """The run in `folder`, to be judged against the labels of `dataset`. Nothing is counted yet.

    Raises InputError if no conversation of the run is in the data set as it was.
    """
    return evaluate_all([(folder, dataset)], store)[0]


def evaluate_all(runs: Sequence[tuple[RunFolder, Dataset]], store: CountStore | None = None) -> tuple[Evaluation, ...]:
    """Runs that are to be compared: of a model's ratings only those of a judge count who judged all of them."""
    judge = shared_judge(*(kept_judgements(folder.path) for folder, _ in runs))
    return tuple(
        Evaluation(folder, dataset, matched(folder.manifest, dataset), judge, store) for folder, dataset in runs
    )


def only_metrics(scores: Scores, metrics: Sequence[Metric]) -> Scores:
    """The same counts by these metrics, which must be of tallies that were counted."""
    if tuple(metrics) == scores.metrics:
        return scores
    counts = {tally.name: scores.counts[tally.name] for tally in tallies_of(metrics)}
    return replace(scores, metrics=tuple(metrics), counts=counts)


def variant_key(spec: RunSpec) -> str:
    """What answers and how, apart from what it was asked about, and how often."""
    asked = {"dataset": "", "dataset_hash": "", "conversation_ids": (), "samples": 1, "attempt": 0}
    asked |= {"fork": None, "picked": None}
    rescored = spec.rescored and spec.rescored.model_copy(update={"run_id": ""})
    return spec.model_copy(update={**asked, "rescored": rescored}).model_dump_json()


@lru_cache(maxsize=1)
def source_hash() -> str:
    """SHA-256 of the code that judges: metrics, scoring, labels, and the engine, whose rules metrics apply."""
    folder = Path(__file__).parent
    files = [
        *(folder / "metrics").rglob("*.py"),
        *(folder / f"{name}.py" for name in ("counts", "judged_turns", "judgements", "labels", "scoring")),
    ]
    own = "".join(f"{file.relative_to(folder).as_posix()} {_sha(file.read_bytes())}\n" for file in sorted(files))
    return _sha(f"{own}{engine_hash()}".encode())


def _nobody() -> None:
    """Nobody wants to know."""


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
