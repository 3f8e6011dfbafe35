"""A data set as large as wanted and two finished runs over it, made by code: the shipped conversations many times.

Each copy of a conversation is another conversation to everything that judges. The runs are real answers, of rules and
of recordings, under the ids of the copies; their lines come in the order in which a runner would have written them.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from evals.dataset_manifest import CONVERSATIONS, LABELS
from evals.library import Dataset, load_dataset
from evals.records import RunTotals
from evals.runs.folder import FINISHED, RunFolder
from evals.runs.manifest import new_manifest, new_spec
from tests.benchmarks.conversations import SHIPPED
from workbench.replays import ReplayRequest, carry_out, plan_replay
from workbench.services import Services

DATASET = "large"
VARIANTS = ("rules", "recorded")
AT_ONCE = 8  # conversations whose turns are written in turn, as by a runner

_ID = re.compile(rb'("(?:id|conversation_id)":\s*")([^"]+)(")')


@dataclass(frozen=True, slots=True)
class LargeRuns:
    """The ids of the runs, and how many turns each has."""

    run_ids: tuple[str, ...]
    turns: int


def write_large_runs(services: Services, turns: int) -> LargeRuns:
    """Write the data set and a run of each variant below the home of `services`, of at least `turns` turns."""
    shipped = load_dataset(SHIPPED)
    own = tuple(conversation.id for conversation in shipped.part("dev"))
    once = sum(len(conversation.customer_turns) for conversation in shipped.part("dev"))
    copies = -(-turns // once)
    folder = services.settings.home / "conversations" / DATASET
    folder.mkdir(parents=True)
    for name, key in ((CONVERSATIONS, "id"), (LABELS, "conversation_id")):
        _copy_lines(SHIPPED / name, folder / name, key, frozenset(own), copies)
    large = load_dataset(folder)
    run_ids = tuple(_copy_run(services, variant, large, copies) for variant in VARIANTS)
    return LargeRuns(run_ids, once * copies)


def _copy_lines(source: Path, target: Path, key: str, ids: frozenset[str], copies: int) -> None:
    pattern = re.compile(rb'("%b":\s*")([^"]+)(")' % key.encode())
    lines = source.read_bytes().splitlines()
    with target.open("wb") as stream:
        for copy in range(copies):
            for line in lines:
                found = pattern.search(line)
                if found and found[2].decode() in ids:
                    stream.write(pattern.sub(rb"\g<1>\g<2>-%05d\g<3>" % copy, line, count=1) + b"\n")


def _copy_run(services: Services, variant: str, large: Dataset, copies: int) -> str:
    """The id of a finished run of `variant` over the large data set."""
    planned = plan_replay(services, ReplayRequest(SHIPPED.name, variant=variant, split="dev"))
    asyncio.run(carry_out(services, planned))
    original = services.run(planned.run_id)
    spec = new_spec(large, large.hashes, planned.spec.variant)
    folder = RunFolder.create(services.settings.home / "runs", new_manifest(spec, large.conversations))
    size = 0
    with folder.turns_file.open("wb") as stream:
        for line in _lines(_by_conversation(original), folder.run_id, copies):
            size += stream.write(line)
    totals = original.totals or RunTotals()
    finished = totals.model_copy(update={"turns": totals.turns * copies, "size_bytes": size})
    (folder.path / FINISHED).write_text(finished.model_dump_json())
    return folder.run_id


def _by_conversation(run: RunFolder) -> dict[bytes, list[bytes]]:
    """The records of a run as JSON, by conversation and in order of turns."""
    found: dict[bytes, list[bytes]] = {}
    for body, _ in run.bodies():
        found.setdefault(_conversation(body), []).append(body.replace(run.run_id.encode(), b"RUN", 1))
    return found


def _conversation(body: bytes) -> bytes:
    found = re.search(rb'"conversation_id":"([^"]+)"', body)
    assert found is not None
    return found[1]


def _lines(records: dict[bytes, list[bytes]], run_id: str, copies: int) -> Iterator[bytes]:
    talks = ((id_, b"%b-%05d" % (id_, copy)) for copy in range(copies) for id_ in records)
    while together := list(islice(talks, AT_ONCE)):
        for position in range(max(len(records[id_]) for id_, _ in together)):
            for id_, own in together:
                if position < len(records[id_]):
                    body = records[id_][position].replace(b"RUN", run_id.encode(), 1)
                    body = body.replace(b'"conversation_id":"%b"' % id_, b'"conversation_id":"%b"' % own)
                    yield b'{"check":"%08x","record":%b}\n' % (zlib.crc32(body), body)
