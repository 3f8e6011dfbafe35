"""Turn records into DuckDB, how that grows with their number, and the scoreboard over them once they were scored.

The records are copies of one real record under other conversations and turns: reading and indexing costs the same,
and making them costs little. Counts are drawn by chance, about as many a turn as a real turn has.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.guardrails import guard
from engine.model.state import opening_state
from engine.rules import analyze_by_rules
from evals.counts import Counts
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.metrics.metric import Tally
from evals.records import RunManifest, RunSpec, TurnRecord, Variant
from evals.runs.counts import CountStore, ScoringKey
from evals.runs.folder import MANIFEST, TURNS
from evals.runs.index import RunIndex
from evals.runs.spec import run_id_of
from evals.scoreboard import scoreboard
from evals.scoring import Scores, tallies_of
from tests.benchmarks.conversations import long_conversation
from tests.benchmarks.figure import Figure, median_seconds

TURNS_A_RUN, RUNS, TURNS_A_CONVERSATION = 250_000, 4, 10
ENTRIES_A_TURN = 2  # of each tally


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        index = RunIndex(home / "index.duckdb", home / "runs")
        small, large = _index(index, home / "runs")
        keys = _score(CountStore(index))
        shutil.rmtree(home / "runs")
        seconds = median_seconds(lambda: [scoreboard(CountStore(index), key) for key in keys], repeats=3)
    return [
        Figure("index 1,000,000 turn records into DuckDB", RUNS * TURNS_A_RUN / large, "turns/s", note="one process"),
        Figure("time a record, 1,000,000 against 250,000", large / RUNS / small, "times", 1.2, note="linear is 1"),
        Figure("scoreboard of 1,000,000 scored turns, 4 runs", seconds, "s", 1.0, note=f"{len(METRICS)} metrics"),
    ]


def _index(index: RunIndex, runs: Path) -> tuple[float, float]:
    """CPU seconds to index the first run, and to index all of them."""
    record = _record()
    spent = []
    for number in range(RUNS):
        _write_run(runs, record, number)
        began = time.process_time()
        index.refresh()
        spent.append(time.process_time() - began)
    return spent[0], sum(spent)


def _score(store: CountStore) -> list[ScoringKey]:
    keys = [ScoringKey(f"run-{number}", View.MODEL, "1", "2", "3") for number in range(RUNS)]
    for number, key in enumerate(keys):
        store.put(key, _scores(np.random.default_rng(number)))
    return keys


def _record() -> TurnRecord:
    """A real one: the rules' answer to the first customer turn."""
    conversation = long_conversation(20)
    state, turn = opening_state(conversation), conversation.customer_turns[0]
    history = conversation.before(turn.index)
    result = guard(state, turn, history, analyze_by_rules(state, turn, history))
    return TurnRecord(
        run_id="RUN", conversation_id="CONVERSATION", turn=424242, before=state, result=result, after=state
    )


def _write_run(runs: Path, record: TurnRecord, number: int) -> None:
    """A run folder as the runner leaves it when it is stopped, without its flushes to disk."""
    spec = RunSpec(
        dataset="simulated",
        dataset_hash="0" * 64,
        conversation_ids=("c",),
        variant=Variant(name="simulated"),
        engine_hash="0" * 64,
        attempt=number,
    )
    run_id = run_id_of(spec)
    folder = runs / run_id
    folder.mkdir(parents=True)
    manifest = RunManifest(
        run_id=run_id, spec=spec, turns_expected=TURNS_A_RUN, created_at="2026-01-01T00:00:00Z", python="3"
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    with (folder / TURNS).open("wb") as stream:
        stream.writelines(_lines(record.model_copy(update={"run_id": run_id})))


def _lines(record: TurnRecord) -> Iterator[bytes]:
    before, between, after = _pieces(record.model_dump_json().encode())
    for position in range(TURNS_A_RUN):
        conversation, turn = divmod(position, TURNS_A_CONVERSATION)
        body = b"".join((before, b"c%d" % conversation, between, b"%d" % (2 * turn + 1), after))
        yield b'{"check":"%08x","record":%b}\n' % (zlib.crc32(body), body)


def _pieces(body: bytes) -> tuple[bytes, bytes, bytes]:
    before, rest = body.split(b"CONVERSATION", 1)
    between, after = rest.split(b"424242", 1)
    return before, between, after


def _scores(generator: np.random.Generator) -> Scores:
    records = tuple(
        (f"c{position // TURNS_A_CONVERSATION:05}", position % TURNS_A_CONVERSATION, 0)
        for position in range(TURNS_A_RUN)
    )
    return Scores(
        name="simulated",
        variant="simulated",
        view=View.MODEL,
        metrics=METRICS,
        records=records,
        counts={tally.name: _counts(tally, generator) for tally in tallies_of(METRICS)},
    )


def _counts(tally: Tally, generator: np.random.Generator) -> Counts:
    record = np.repeat(np.arange(TURNS_A_RUN), ENTRIES_A_TURN)
    return Counts(
        tally=tally,
        judged=np.arange(TURNS_A_RUN),
        record=record,
        part=np.minimum(generator.geometric(0.5, len(record)) - 1, len(tally.parts) - 1),  # few parts are frequent
        amount=np.ones(len(record)),
    )
