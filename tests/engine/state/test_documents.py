"""The JSON documents of production state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError, SchemaVersionError, StateError
from engine.model.qualification import (
    BANTSignals,
    Evidence,
    ListSignal,
    MEDDICSignals,
    QualificationState,
    Signal,
)
from engine.state.documents import READERS, SCHEMA_VERSION, Kind, Reader, clean_text, read, upgraded, write

WHERE = "tenant t, state s"
SECRET = "we lose forty thousand a month"

kept_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
any_text = st.text(st.characters(), max_size=40)
confidences = st.floats(min_value=0, max_value=1)


def evidence(texts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Evidence, ...]]:
    one = st.builds(Evidence, quote=texts, turn=st.integers(0, 2000))
    return st.lists(one, max_size=3).map(tuple)


def qualifications(texts: st.SearchStrategy[str]) -> st.SearchStrategy[QualificationState]:
    signal = st.builds(
        Signal, value=st.none() | texts, confidence=confidences, evidence=evidence(texts), grounded=st.booleans()
    )
    values = st.lists(texts, max_size=3).map(tuple)
    listed = st.builds(ListSignal, values=values, confidence=confidences, evidence=evidence(texts))
    return st.builds(
        QualificationState,
        bant=st.builds(BANTSignals, budget=signal, timeline=signal),
        meddic=st.builds(MEDDICSignals, identified_pain=signal, decision_criteria=listed),
        overall_confidence=confidences,
        key_insights=values,
        last_updated=st.none() | st.datetimes(timezones=st.just(UTC)),
    )


plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | kept_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(kept_text, inner, max_size=3),
    max_leaves=10,
)


@given(qualifications(kept_text))
def test_a_qualification_comes_back_as_it_was_written(value: QualificationState) -> None:
    written = write(Kind.QUALIFICATION, value)
    assert written.cleaned == 0
    assert read(QualificationState, Kind.QUALIFICATION, written.json, SCHEMA_VERSION, WHERE) == value


@given(st.dictionaries(kept_text, plain_json, max_size=4))
def test_metadata_come_back_as_they_were_written(metadata: dict[str, Any]) -> None:
    written = write(Kind.METADATA, metadata)
    assert written.cleaned == 0
    assert read(dict[str, Any], Kind.METADATA, written.json, SCHEMA_VERSION, WHERE) == metadata


@given(qualifications(any_text), st.dictionaries(any_text, any_text, max_size=3))
def test_nothing_that_is_written_holds_what_jsonb_refuses(value: QualificationState, metadata: dict[str, str]) -> None:
    for written in (write(Kind.QUALIFICATION, value), write(Kind.METADATA, metadata)):
        decoded = json.loads(written.json.decode())
        assert "\0" not in "".join(texts_of(decoded))
        assert not any("\ud800" <= character <= "\udfff" for text in texts_of(decoded) for character in text)


@given(any_text)
def test_cleaning_counts_what_it_changes_and_changes_nothing_else(text: str) -> None:
    clean, count = clean_text(text)
    assert count == sum(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
    assert clean_text(clean) == (clean, 0)
    assert clean == text or count


@pytest.mark.parametrize(
    ("metadata", "kept", "count"),
    [
        ({"a": "b\0c"}, {"a": "bc"}, 1),
        ({"a": ["\ud83d", {"b\0": "\udc00\0"}]}, {"a": ["\ufffd", {"b": "\ufffd"}]}, 4),
        ({"a": "the text \\u0000 is no NUL"}, {"a": "the text \\u0000 is no NUL"}, 0),
        ({"a": "NaN", "b": "Infinity"}, {"a": "NaN", "b": "Infinity"}, 0),
        ({"a": ("x", "y\0")}, {"a": ["x", "y"]}, 1),
    ],
)
def test_what_jsonb_refuses_is_cleaned_away_and_counted(
    metadata: dict[str, Any], kept: dict[str, Any], count: int
) -> None:
    written = write(Kind.METADATA, metadata)
    assert (json.loads(written.json), written.cleaned) == (kept, count)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), object(), {"b": object()}])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="metadata holds"):
        write(Kind.METADATA, {"a": value})


def test_a_document_of_a_newer_version_says_what_to_do() -> None:
    with pytest.raises(SchemaVersionError, match=r"tenant t, state s: .*version 2.*up to 1; use the newer version"):
        read(QualificationState, Kind.QUALIFICATION, b"{}", SCHEMA_VERSION + 1, WHERE)


def test_the_shipped_readers_reach_the_version_that_is_written() -> None:
    assert sorted(READERS) == list(range(1, SCHEMA_VERSION))


def second(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "steps": [*document["steps"], 2]}


def third(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "steps": [*document["steps"], 3]}


ALL: Mapping[int, Mapping[Kind, Reader]] = MappingProxyType({1: {Kind.METADATA: second}, 2: {Kind.METADATA: third}})


@pytest.mark.parametrize(("version", "steps"), [(1, [2, 3]), (2, [3]), (3, [])])
def test_an_older_document_goes_through_every_version_in_order(version: int, steps: list[int]) -> None:
    document = {"steps": []}
    assert upgraded(Kind.METADATA, document, version, WHERE, readers=ALL, current=3) == {"steps": steps}
    assert document == {"steps": []}


def test_a_kind_of_document_without_a_reader_stayed_as_it_was() -> None:
    assert upgraded(Kind.ANALYSIS, {"a": 1}, 1, WHERE, readers=ALL, current=3) == {"a": 1}


def test_a_document_too_old_for_the_readers_that_are_left_is_refused() -> None:
    with pytest.raises(SchemaVersionError, match="no longer reads"):
        upgraded(Kind.METADATA, {}, 1, WHERE, readers={2: {}}, current=3)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"bant": {"budget": {"value": SECRET, "confidence": 7}}}, r"qualification_data\.bant\.budget\.confidence"),
        ({"bant": {SECRET: 1}}, r"qualification_data\.bant cannot be read: there is a field that does not belong"),
        ({"key_insights": SECRET}, r"qualification_data\.key_insights"),
        ([SECRET], "qualification_data cannot be read"),
    ],
)
def test_a_broken_document_says_where_and_which_field_without_its_text(document: object, says: str) -> None:
    with pytest.raises(StateError, match=f"^{WHERE}: {says}") as caught:
        read(QualificationState, Kind.QUALIFICATION, json.dumps(document).encode(), SCHEMA_VERSION, WHERE)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_of(part)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return []
