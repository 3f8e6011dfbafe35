"""What must hold of the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def tracked() -> list[Path]:
    """Files that belong to the project; outside a checkout, all but what is installed or cached."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode == 0:
        return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    skipped = {".venv", ".git", ".qbs"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


def test_there_is_no_python_under_datasets() -> None:
    assert [path for path in tracked() if path.suffix == ".py" and ROOT / "datasets" in path.parents] == []


def test_no_lock_file_records_an_address() -> None:
    assert not (ROOT / "uv.lock").exists()
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|file:|--index-url|--find-links| @ ", lock.read_text()), lock.name


def test_every_locked_package_has_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = re.sub(r"\\\n", " ", lock.read_text())
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert packages
        assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_the_malicious_litellm_releases_are_denied_by_name() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert "!=1.82.7" in text
    assert "!=1.82.8" in text


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("engine/merge.py", "import evals.records"),
        ("engine/rules/baseline.py", "import engine.llm.service"),
        ("engine/pain.py", "import pandas"),
        ("evals/compare_probe.py", "import workbench.services"),
        ("workbench/probe.py", "import duckdb"),
    ],
)
def test_a_wrong_import_direction_is_found(tmp_path: Path, module: str, line: str) -> None:
    for package in ("engine", "evals", "workbench"):
        _link_or_copy(ROOT / package, tmp_path / package)
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    broken = tmp_path / module
    before = broken.read_text() if broken.exists() else ""
    broken.write_text(f"{before}\n{line}\n")
    found = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "."},
        check=False,
    )
    assert found.returncode != 0
    assert "BROKEN" in found.stdout


def _link_or_copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [path for path in tracked() if path.suffix == ".md"]
    links = [(path, link) for path in documents for link in re.findall(r"\]\(([^)#\s]+)", path.read_text())]
    assert links
    local = [(path, link) for path, link in links if "://" not in link]
    assert [f"{path.name}: {link}" for path, link in local if not (path.parent / link).exists()] == []


def test_the_repository_names_no_machine_path_and_no_registry() -> None:
    # Split, so that this file does not hold what it looks for.
    forbidden = re.compile(
        r"(?<![\w.])/(?:root|work" + r"|farm)/|--(?:extra-)?index" + r"-url[ =]+http|https?://\S+/sim" + r"ple"
    )
    texts = [path for path in tracked() if path.suffix in {".md", ".py", ".toml", ".txt", ".yml", ".json", ".cfg", ""}]
    found = [path.relative_to(ROOT) for path in texts if forbidden.search(path.read_text(errors="replace"))]
    assert found == []
