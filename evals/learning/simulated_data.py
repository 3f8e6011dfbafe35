"""The shipped simulated world as a file: written from its seed, and loaded into the copy of outcomes on demand."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError
from evals.files import write_atomically
from evals.learning.facts.values import Coded
from evals.learning.simulated import ACTIONS, START, TENANT, SimulatedWorld, WorldSettings, simulate

if TYPE_CHECKING:
    from evals.learning.facts.store import OutcomeStore

OUTCOMES = "outcomes.parquet"
MANIFEST = "MANIFEST.json"
SEED = 2026
CUSTOMERS = 3_000
SETTINGS = WorldSettings(missing=0.02, impatient=0.04, unsent=0.03)


def shipped_world() -> SimulatedWorld:
    """The world that the shipped file is of."""
    return simulate(SEED, CUSTOMERS, SETTINGS)


def table_of(world: SimulatedWorld) -> Any:
    """What was recorded, as an Arrow table: a row per outcome, with when what happened to it and when it was known.

    `true_probability` is of a reply inside the window, for whoever wants to compare: nothing reads it.
    """
    import pyarrow

    facts, found = world.facts, world.happenings
    columns: dict[str, Any] = {}
    for name, column in facts.columns.items():
        if name in ("status", "happened_at", "replaced_at", "sent", "source", "calibration", "calibrated_confidence"):
            continue
        columns[name] = _arrow(column)
    for name in ("replied_s", "reported_s", "emptied_s"):
        seconds = getattr(found, name)
        columns[name] = pyarrow.array(np.where(np.isnan(seconds), 0, seconds).astype(np.int64), mask=np.isnan(seconds))
    columns["sent"] = _arrow(facts.array("sent"))
    columns["true_probability"] = pyarrow.array(world.truth.reply_probability.astype(np.float32))
    return pyarrow.table(columns)


def write_dataset(folder: Path) -> None:
    """Write the shipped world with its manifest into `folder`."""
    import pyarrow
    from pyarrow import parquet

    world = shipped_world()
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table_of(world), sink, compression="zstd", compression_level=19)
    content = sink.getvalue().to_pybytes()
    write_atomically(folder / OUTCOMES, content)
    write_atomically(folder / MANIFEST, (json.dumps(_manifest(world, content), indent=2) + "\n").encode())


def load_simulated(store: OutcomeStore, folder: Path, tenant: str = TENANT) -> None:
    """Put the shipped world into the copy as all that there is of `tenant`; nothing if it is there already.

    Raises InputError if the file is not what its manifest says.
    """
    from evals.learning.facts.simulated import load

    told = _manifest_of(folder)
    start, end = (datetime.fromisoformat(told[name]) for name in ("from", "until"))
    load(store, tenant, read_dataset(folder), start, end, told["sha256"])


def read_dataset(folder: Path) -> Any:
    """The file as an Arrow table. Raises InputError if it is missing, or not what its manifest says."""
    import pyarrow
    from pyarrow import parquet

    file = folder / OUTCOMES
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from error
    if hashlib.sha256(content).hexdigest() != _manifest_of(folder)["sha256"]:
        raise InputError(
            "is not what it was when its manifest was written; take both from the project again", file=file
        )
    return parquet.read_table(pyarrow.BufferReader(content))


def _manifest(world: SimulatedWorld, content: bytes) -> dict[str, Any]:
    return {
        "format": 1,
        "name": "simulated_outcomes",
        "title": "Outcomes of a simulated world, in which the truth is known",
        "origin": "simulated",
        "licence": "CC BY 4.0",
        "seed": world.seed,
        "customers": CUSTOMERS,
        "outcomes": len(world.facts),
        "from": START.isoformat(),
        "until": world.facts.as_of.isoformat(),
        "promoted_at": world.promoted_at.isoformat(),
        "actions": [f"{kind}/{delivery}" for kind, delivery in ACTIONS],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _manifest_of(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({type(error).__name__})", file=file) from error
    return found


def _arrow(column: Any) -> Any:
    import pyarrow

    if isinstance(column, Coded):
        codes = pyarrow.array(column.codes, mask=column.codes < 0)
        return pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array(column.labels, pyarrow.string()))
    if column.dtype == np.float64:
        return pyarrow.array(column, mask=np.isnan(column))
    return pyarrow.array(column)
