"""What a run's manifest says: the spec, and the code and packages that it runs with."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import engine
from engine.model.conversation import Conversation
from evals.gold import LABELS_VARIANT
from evals.library import Dataset
from evals.matching import conversation_hash
from evals.records import Fork, PickedTurns, RunManifest, RunSpec, StateMode, Variant
from evals.runs.spec import run_id_of, turns_expected

PACKAGES = ("qbs-workbench", "pydantic", "instructor", "litellm", "openai", "jinja2", "duckdb")
_GIT_SECONDS = 5.0


def new_spec(
    dataset: Dataset,
    conversation_ids: Iterable[str],
    variant: Variant,
    *,
    state_mode: StateMode = StateMode.CARRIED,
    fork: Fork | None = None,
    picked: PickedTurns | None = None,
    samples: int = 1,
    attempt: int = 0,
) -> RunSpec:
    """The spec of a run over these conversations by the engine's code as it is now."""
    ids = tuple(sorted(set(conversation_ids)))
    by_labels = state_mode is StateMode.GOLD or variant.name == LABELS_VARIANT
    return RunSpec(
        dataset=dataset.name,
        dataset_hash=dataset.hash_of(ids),
        labels_hash=dataset.labels_hash(ids) if by_labels else None,
        conversation_ids=ids,
        variant=variant,
        state_mode=state_mode,
        fork=fork,
        samples=samples,
        engine_hash=engine_hash(),
        attempt=attempt,
        picked=picked,
    )


def new_manifest(spec: RunSpec, conversations: Iterable[Conversation]) -> RunManifest:
    """The manifest of a run that begins now; `conversations` are those that the spec names."""
    conversations = tuple(conversations)
    commit, dirty = code_version()
    return RunManifest(
        run_id=run_id_of(spec),
        spec=spec,
        conversation_hashes={conversation.id: conversation_hash(conversation) for conversation in conversations},
        turns_expected=turns_expected(spec, conversations),
        created_at=datetime.now(UTC),
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        packages=package_versions(),
    )


def engine_hash() -> str:
    """SHA-256 of the engine's source files by path, its prompts included: changed code is a new run."""
    root = Path(engine.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def code_version() -> tuple[str | None, bool | None]:
    """Commit and whether the tree differs from it; None for both where there is no git or no repository."""
    commit = _git("rev-parse", "--verify", "HEAD")
    if commit is None:
        return None, None
    status = _git("status", "--porcelain", "--untracked-files=normal")
    return commit.strip(), None if status is None else bool(status.strip())


def package_versions() -> dict[str, str]:
    """The installed versions of the packages that may change a result."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  # no shell, and nothing in it that a user wrote
            [git, "-C", str(Path(engine.__file__).parent), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout if answer.returncode == 0 else None
