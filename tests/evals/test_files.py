"""Replacing a file: the old content or the new, never a mixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.files import replacing, write_atomically


def test_new_content_takes_the_place_of_the_old(tmp_path: Path):
    file = tmp_path / "deep" / "down" / "f"
    write_atomically(file, b"one")
    write_atomically(file, b"two")
    assert file.read_bytes() == b"two"
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644


def test_until_the_end_the_old_content_is_there(tmp_path: Path):
    file = tmp_path / "f"
    write_atomically(file, b"old")
    with replacing(file) as stream:
        stream.write(b"new")
        stream.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path: Path):
    file = tmp_path / "f"
    write_atomically(file, b"old")
    with pytest.raises(KeyError), replacing(file) as stream:
        stream.writelines([b"half", {}["the other half"]])
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
