from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.prompts import PromptLibrary, PromptSet
from engine.releases import AS_EVERYBODY, NewRelease, Release, Stage

SHIPPED = PromptSet.of(PromptLibrary())


@pytest.mark.parametrize(
    ("fields", "backed"),
    [
        ({"evidence": {"passed": True}}, True),
        ({"evidence": {"passed": False}}, False),
        ({"evidence": {"passed": "yes"}}, False),
        ({}, False),
        ({"evidence": {"passed": False}, "overridden_because": "the fair is today"}, True),
        ({"overridden_because": " \n"}, False),
    ],
)
def test_a_release_is_backed_by_the_gate_or_by_a_reason(fields: dict[str, Any], backed: bool) -> None:
    assert NewRelease.of(SHIPPED, Stage.PRODUCTION, released_by="ines", **fields).is_backed is backed


def test_a_new_release_holds_its_files() -> None:
    release = NewRelease.of(SHIPPED, Stage.CANDIDATE, released_by="ines")
    assert release.prompt_set == SHIPPED.hash
    assert PromptSet.from_contents(release.prompts).hash == SHIPPED.hash


@pytest.mark.parametrize(
    ("prompt_set", "short", "is_own"), [(SHIPPED.hash, SHIPPED.short, True), (AS_EVERYBODY, AS_EVERYBODY, False)]
)
def test_a_release_is_named_by_its_set(prompt_set: str, short: str, is_own: bool) -> None:
    release = Release(
        number=1,
        prompt_set=prompt_set,
        stage=Stage.PRODUCTION,
        released_at=datetime.now(UTC),
        released_by="ines",
        note="",
    )
    assert (release.short, release.is_own) == (short, is_own)
