"""What scored runs were counted as, in the index's database: so that judging a run again needs no turn of it.

It is a copy that `evals.scoring` can make anew, found again only as long as answers, conversations, labels and the
source of the metrics are those that it was made of. Tallies, parts and metrics are numbered as in the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.model.analysis import FallbackReason
from evals.counts import Counts
from evals.inference.resampling import Array
from evals.metrics import METRICS
from evals.metrics.judged import Answer, View
from evals.metrics.metric import Tally
from evals.runs.index import RunIndex
from evals.runs.schema import forget_scores, insert_columns
from evals.scoring import FallbackNote, Scores, tallies_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GROUPS = 400

_JUDGED = -1  # the part of an entry that says that the record could be judged


@dataclass(frozen=True, slots=True)
class ScoringKey:
    """What a scoring is of. `answers`, `labels` and `source` are hashes: of the finished run, of what it was judged
    against, and of the code that judges.
    """

    run_id: str
    view: View
    answers: str
    labels: str
    source: str


@dataclass(frozen=True, eq=False)
class Sums:
    """A scoring by group of conversations, made by chance: statistics of shape (groups, parts) by tally.

    With no more conversations than groups each is a group of its own. `with_data` counts the records, and the
    conversations, that have data for a metric, by its name.
    """

    statistics: Mapping[str, Array]
    with_data: Mapping[str, tuple[int, int]]


class CountStore:
    """The counts of scored runs in the database of `index`, and their sums in at most `groups` groups of conversations.

    Every method raises what the index raises.
    """

    def __init__(self, index: RunIndex, groups: int = GROUPS) -> None:
        self._index = index
        self._groups = groups

    def put(self, key: ScoringKey, scores: Scores) -> None:
        """Keep the scores of a run in one view, by all metrics, in the place of earlier ones."""

        def work(connection: DuckDBPyConnection) -> None:
            connection.begin()
            forget_scores(connection, key.run_id, key.view)
            _insert(connection, key, scores, self._groups)
            connection.commit()

        self._index.work(work)

    def get(self, key: ScoringKey) -> Scores | None:
        """The scores that were kept under this very key; None if there are none."""

        def work(connection: DuckDBPyConnection) -> Scores | None:
            scoring, variant = _scoring(connection, key)
            return None if scoring is None else _scores(connection, scoring, key, variant)

        return self._index.work(work)

    def sums(self, key: ScoringKey) -> Sums | None:
        """The counts summed within groups of conversations; None if nothing was kept."""

        def work(connection: DuckDBPyConnection) -> Sums | None:
            scoring, _ = _scoring(connection, key)
            return None if scoring is None else _sums(connection, scoring, self._groups)

        return self._index.work(work)


def _scoring(connection: DuckDBPyConnection, key: ScoringKey) -> tuple[int | None, str]:
    wanted = asdict(key)
    where = " AND ".join(f"{name} = ${name}" for name in wanted)
    query = f"SELECT scoring, variant FROM scorings WHERE {where}"  # noqa: S608
    row = connection.execute(query, wanted).fetchone()
    return (None, "") if row is None else (int(row[0]), str(row[1]))


def _insert(connection: DuckDBPyConnection, key: ScoringKey, scores: Scores, groups: int) -> None:
    row = connection.execute("SELECT coalesce(max(scoring), 0) + 1 FROM scorings").fetchone()
    scoring = np.int32(1 if row is None else row[0])
    names = list(asdict(key))
    marks = ", ".join(f"${name}" for name in names)
    connection.execute(
        f"INSERT INTO scorings (scoring, variant, {', '.join(names)}) VALUES ($scoring, $variant, {marks})",  # noqa: S608
        {"scoring": int(scoring), "variant": scores.variant, **asdict(key)},
    )
    for table, columns in _tables(scores).items():
        if len(next(iter(columns.values()))):
            insert_columns(connection, table, {"scoring": scoring, **columns})
    told = {"scoring": int(scoring), "judged": _JUDGED, "groups": groups, "conversations": len(scores.conversations)}
    connection.execute(_SUMS, told)


# Conversations join groups by a hash of their number where there are more of them than groups.
_SUMS = """
    INSERT INTO scored_sums
    SELECT counts.scoring,
           if($conversations <= $groups, turns.conversation, hash(turns.conversation) % $groups) AS conversations,
           counts.tally, counts.part, sum(counts.amount)
    FROM scored_counts AS counts JOIN scored_turns AS turns USING (scoring, record)
    WHERE scoring = $scoring AND part <> $judged
    GROUP BY ALL
"""


def _tables(scores: Scores) -> dict[str, dict[str, Any]]:
    """The columns of each table."""
    ids, turns, samples = zip(*scores.records, strict=True) if scores.records else ((), (), ())
    data = [scores.counts[metric.tally.name].with_data(metric) for metric in METRICS]
    return {
        "scored_turns": {
            "record": np.arange(len(ids)),
            "conversation": scores.conversation_of,
            "conversation_id": list(ids),
            "turn": list(turns),
            "sample": list(samples),
        },
        "scored_counts": _entries(scores),
        "scored_metrics": {
            "metric": np.arange(len(METRICS)),
            "records": [len(records) for records in data],
            "conversations": [len(np.unique(scores.conversation_of[records])) for records in data],
        },
        "scored_fallbacks": {
            name: [getattr(note, name) for note in scores.fallbacks]
            for name in ("conversation_id", "turn", "sample", "answer", "reason")
        },
    }


def _entries(scores: Scores) -> dict[str, Any]:
    """The sparse counts of all tallies as columns; that a record was judged is an entry of its own."""
    parts: list[tuple[Any, Any, Any, Any]] = []
    for number, tally in enumerate(tallies_of(METRICS)):
        own = scores.counts[tally.name]
        judged = (own.judged, np.full(len(own.judged), _JUDGED), np.zeros(len(own.judged)))
        parts += [(record, np.full(len(record), number), part, amount)
                  for record, part, amount in (judged, (own.record, own.part, own.amount))]  # fmt: skip
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return dict(zip(("record", "tally", "part", "amount"), columns, strict=True))


def _scores(connection: DuckDBPyConnection, scoring: int, key: ScoringKey, variant: str) -> Scores:
    turns = _columns(
        connection, "SELECT conversation_id, turn, sample FROM scored_turns WHERE scoring = ? ORDER BY record", scoring
    )
    notes = connection.execute(
        "SELECT conversation_id, turn, sample, answer, reason FROM scored_fallbacks WHERE scoring = ? "
        "ORDER BY conversation_id, sample, turn",
        [scoring],
    ).fetchall()
    counts = _columns(
        connection, "SELECT tally, part, record, amount FROM scored_counts WHERE scoring = ? ORDER BY tally", scoring
    )
    records = zip(*(turns[name].tolist() for name in ("conversation_id", "turn", "sample")), strict=True)
    return Scores(
        name=key.run_id,
        variant=variant,
        view=key.view,
        metrics=METRICS,
        records=tuple(records),
        counts=_by_tally(counts),
        fallbacks=tuple(_note(*note) for note in notes),
    )


def _note(conversation_id: str, turn: int, sample: int, answer: Answer, reason: str) -> FallbackNote:
    return FallbackNote(conversation_id, turn, sample, answer, FallbackReason(reason))


def _by_tally(columns: Mapping[str, Any]) -> dict[str, Counts]:
    """The entries, which are in order of their tally, as tables."""
    tallies = tallies_of(METRICS)
    ends = np.searchsorted(columns["tally"], np.arange(len(tallies) + 1))
    return {
        tally.name: _counts(tally, {name: column[start:end] for name, column in columns.items()})
        for tally, start, end in zip(tallies, ends[:-1], ends[1:], strict=True)
    }


def _counts(tally: Tally, columns: Mapping[str, Any]) -> Counts:
    judged = columns["part"] == _JUDGED
    return Counts(
        tally=tally,
        judged=columns["record"][judged],
        record=columns["record"][~judged],
        part=columns["part"][~judged],
        amount=columns["amount"][~judged],
    )


def _sums(connection: DuckDBPyConnection, scoring: int, groups: int) -> Sums:
    row = connection.execute("SELECT max(conversation) + 1 FROM scored_turns WHERE scoring = ?", [scoring]).fetchone()
    size = min(groups, int(row[0] or 0)) if row else 0
    columns = _columns(
        connection, "SELECT conversations, tally, part, amount FROM scored_sums WHERE scoring = ?", scoring
    )
    statistics = {}
    for number, tally in enumerate(tallies_of(METRICS)):
        own = columns["tally"] == number
        table = np.zeros((size, len(tally.parts)))
        table[columns["conversations"][own], columns["part"][own]] = columns["amount"][own]
        statistics[tally.name] = table
    found = connection.execute(
        "SELECT metric, records, conversations FROM scored_metrics WHERE scoring = ?", [scoring]
    ).fetchall()
    return Sums(statistics, {METRICS[metric].name: (records, own) for metric, records, own in found})


def _columns(connection: DuckDBPyConnection, query: str, scoring: int) -> dict[str, Any]:
    """The columns of a query about one scoring as arrays."""
    found: dict[str, Any] = connection.execute(query, [scoring]).fetchnumpy()
    return found
