from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow
import pytest
from pyarrow import parquet

from engine.errors import InputError
from evals.learning.facts import OutcomeStore
from evals.learning.importing import ImportRefusedError, Mapping, MappingStore, import_outcomes

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MAPPING = Mapping(
    {"conversation": "Case", "recommended_at": "Sent", "replied_at": "Answered", "question_type": "Type"},
    zone="Europe/Berlin",
)
HEADER = "Case,Sent,Answered,Type,persona"
ROWS = (
    "c1,2026-03-02 09:30,2026-03-02 15:00,Pain Funnel,Manager",
    "c2,2026-03-02 09:30,,impact,ic",
    "c3,2026-03-02 09:30,2026-03-05 10:00,impact,ic",
    "c4,2026-05-31 20:00+00:00,,impact,ic",
)


@pytest.fixture
def store(tmp_path: Path) -> OutcomeStore:
    return OutcomeStore(tmp_path / "outcomes.duckdb")


def csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "crm.csv"
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file


def statuses(store: OutcomeStore, as_of: datetime | None = None) -> dict[str, str]:
    return {row["conversation"]: row["status"] for row in store.facts("acme", as_of=as_of).rows()}


def test_rows_become_outcomes_that_stand_where_their_times_say(store, tmp_path):
    imported = import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    assert (imported.added, imported.corrected, imported.unchanged) == (4, 0, 0)
    assert statuses(store) == {"c1": "positive", "c2": "negative", "c3": "late", "c4": "pending"}
    first = next(store.facts("acme").rows())
    assert first["recommended_at"] == "2026-03-02T08:30:00.000000Z"  # Berlin is an hour ahead
    assert {first["origin"], first["source"]} == {"import", "crm.csv"}


def test_the_same_file_twice_adds_nothing_and_a_changed_row_corrects(store, tmp_path):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    again = import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    assert (again.added, again.corrected, again.unchanged) == (0, 0, 4)
    later = datetime(2026, 6, 10, tzinfo=UTC)
    changed = ROWS[1].replace(",,", ",2026-03-02 12:00,")
    corrected = import_outcomes(store, "acme", csv(tmp_path, ROWS[0], changed, *ROWS[2:]), MAPPING, now=later)
    assert (corrected.added, corrected.corrected, corrected.unchanged) == (0, 2, 2)  # and a window closed meanwhile
    assert statuses(store) == {"c1": "positive", "c2": "positive", "c3": "late", "c4": "negative"}
    assert statuses(store, as_of=NOW) == {"c1": "positive", "c2": "negative", "c3": "late", "c4": "pending"}
    (cell,) = store.cells("acme")
    assert (cell.outcomes, cell.resolved, cell.positive) == (4, 4, 2)


def test_an_answer_in_a_window_that_was_over_at_the_import_counts_also_after_the_newest_silence(store, tmp_path):
    rows = (*ROWS, "c5,2026-05-30 10:00,2026-05-30 11:00,impact,ic", "c6,2026-05-31 21:00,2026-05-31 22:00,impact,ic")
    import_outcomes(store, "acme", csv(tmp_path, *rows), MAPPING, now=NOW)
    (cell,) = store.cells("acme")
    assert (cell.resolved, cell.positive, cell.early, cell.pending) == (4, 2, 1, 1)
    facts = store.facts("acme")
    in_rate = facts.where(facts.resolved).words("conversation").words()
    assert sorted(map(str, in_rate)) == ["c1", "c2", "c3", "c5"]


def test_csv_parquet_and_json_lines_say_the_same(store, tmp_path):
    fields = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in ROWS]
    lines = tmp_path / "crm.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in fields))
    table = tmp_path / "crm.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(fields), table)
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    for file in (lines, table):
        assert import_outcomes(store, "acme", file, MAPPING, now=NOW).unchanged == 4


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_header_that_commas_leave_whole_is_divided_by_semicolons_or_tabs(store, tmp_path, separator):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    rows = [row.replace(",", separator) for row in (*ROWS, "c9,soon,,impact,ic")]
    file = csv(tmp_path, *rows, header=HEADER.replace(",", separator))
    again = import_outcomes(store, "acme", file, MAPPING, keep_going=True, now=NOW)
    assert (again.added, again.unchanged) == (0, 4)
    assert [each.line for each in again.problems] == [6]


def test_commas_divide_where_there_are_any_whatever_else_a_header_holds(store, tmp_path):
    rows = [f"{row},x" for row in ROWS]
    assert (
        import_outcomes(store, "acme", csv(tmp_path, *rows, header=f"{HEADER},a;b;c;d;e"), MAPPING, now=NOW).added == 4
    )
    quoted = csv(
        tmp_path, *(f"{row.replace(',', ';')};0,25" for row in ROWS), header='"Case";Sent;Answered;Type;"a,b";p'
    )
    mapping = Mapping(MAPPING.columns | {"persona": "a,b", "confidence": "p"}, zone=MAPPING.zone)
    assert import_outcomes(store, "acme", quoted, mapping, now=NOW).corrected == 4
    assert {row["confidence"] for row in store.facts("acme").rows()} == {0.25}


WRONG = {
    "c9,2026-03-29 02:30,,impact,ic": "Sent: is a time at which the clocks were changed",
    "c9,2026-10-25 02:30,,impact,ic": "Sent: is a time at which the clocks were changed",
    "c9,soon,,impact,ic": "Sent: is no time",
    "c9,,,impact,ic": "Sent is empty",
    ",2026-03-02 09:30,,impact,ic": "Case is empty",
    "c9,2026-03-02 09:30,,impakt,ic": "Type: is none of pain_funnel, impact",
    "c9,2026-03-02 09:30,,,ic": "neither question_type nor action_type",
    "c9,2026-03-02 09:30,,impact,boss": "persona: is none of",
    "c9,2026-03-02 09:30,2026-03-02 09:00,impact,ic": "the reply came before the question",
    "c9,2027-03-02 09:30,,impact,ic": "lies in the future",
    "c9,2026-03-02 09:30,,impact": "has 4 values, and the header names 5",
    "c\x01,2026-03-02 09:30,,impact,ic": "Case: holds U+0001",
    "c1,2026-03-02 09:30,2026-03-02 16:00,pain_funnel,Manager": "the same outcome as line 2",
}


@pytest.mark.parametrize(("row", "problem"), WRONG.items())
def test_a_row_that_cannot_be_used_is_named_with_its_line_and_nothing_is_imported(store, tmp_path, row, problem):
    file = csv(tmp_path, ROWS[0], row, *ROWS[1:])
    with pytest.raises(ImportRefusedError) as refused:
        import_outcomes(store, "acme", file, MAPPING, now=NOW)
    assert [(each.line, problem in each.text) for each in refused.value.problems] == [(3, True)]
    assert statuses(store) == {}


def test_asked_to_go_on_the_rest_is_kept_and_the_bad_rows_are_listed(store, tmp_path):
    file = csv(tmp_path, ROWS[0], "c9,soon,,impact,ic", *ROWS[1:])
    imported = import_outcomes(store, "acme", file, MAPPING, keep_going=True, now=NOW)
    assert imported.added == 4
    assert [each.line for each in imported.problems] == [3]


def test_lines_are_counted_through_cells_that_span_several(store, tmp_path):
    rows = ('c1,2026-03-02 09:30,,impact,"two\nlines"', "c9,soon,,impact,ic")
    with pytest.raises(ImportRefusedError) as refused:
        import_outcomes(store, "acme", csv(tmp_path, *rows), MAPPING, now=NOW)
    assert [each.line for each in refused.value.problems] == [2, 4]


def test_times_without_a_zone_are_refused_unless_a_zone_is_named(store, tmp_path):
    with pytest.raises(ImportRefusedError, match="lacks its zone"):
        import_outcomes(store, "acme", csv(tmp_path, ROWS[0]), Mapping(MAPPING.columns), now=NOW)
    with pytest.raises(InputError, match="no time zone"):
        Mapping({}, zone="Middle/Earth")


FILES = {
    "crm.xlsx": (b"PK", "is neither"),
    "crm.csv": (b"Case,Case\n1,2\n", "names Case twice"),
    "latin.csv": ("Case,Sent\nM\u00fcller,x\n".encode("latin-1"), "is not UTF-8"),
    "empty.csv": (b"", "is empty"),
    "no.parquet": (b"no parquet", "is no Parquet file|cannot be read"),
    "columns.csv": (b"Case,Sent\n1,2\n", "has no column for question_type, replied_at|is mapped to 'Answered'"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(store, tmp_path, name):
    content, problem = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        import_outcomes(store, "acme", tmp_path / name, MAPPING, now=NOW)


def test_a_mapping_is_remembered_by_its_name(tmp_path):
    mappings = MappingStore(tmp_path / "mappings")
    mappings.save("crm", MAPPING)
    assert mappings.load("crm") == MAPPING
    assert mappings.names() == ("crm",)
    with pytest.raises(InputError, match="did you mean crm"):
        mappings.load("crn")
    for wrong in ("../crm", "a/b", ""):
        with pytest.raises(InputError, match="cannot be a mapping's name"):
            mappings.save(wrong, MAPPING)
    with pytest.raises(InputError, match="did you mean recommended_at"):
        Mapping({"recommended": "Sent"})


def test_a_given_id_makes_an_outcome_the_same_whatever_else_is_said(store, tmp_path):
    header, mapping = f"{HEADER},Id", Mapping(MAPPING.columns | {"outcome_id": "Id"}, zone="UTC")
    import_outcomes(store, "acme", csv(tmp_path, f"{ROWS[1]},7", header=header), mapping, now=NOW)
    moved = ROWS[1].replace("c2", "c8").replace("09:30", "10:30")
    done = import_outcomes(store, "acme", csv(tmp_path, f"{moved},7", header=header), mapping, now=NOW)
    assert (done.added, done.corrected) == (0, 1)
    assert statuses(store) == {"c8": "negative"}
    assert next(store.facts("acme").rows())["outcome_id"] == "7"


def test_imports_outlive_the_copy_and_tenants_share_nothing(store, tmp_path):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    import_outcomes(store, "bolt", csv(tmp_path, ROWS[1]), MAPPING, now=NOW)
    before = list(store.facts("acme").rows())
    store.rebuild()
    assert list(store.facts("acme").rows()) == before
    assert [cell.outcomes for cell in store.cells("bolt")] == [1]
    store.forget("acme")
    assert len(store.facts("acme")) == 0
    assert [cell.outcomes for cell in store.cells("bolt")] == [1]


def test_what_cannot_be_removed_of_a_tenant_is_not_said_to_be_gone(store, tmp_path):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    (folder,) = store.imports_folder.iterdir()
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)  # rmtree follows no link
    with pytest.raises(OSError, match="symbolic link"):
        store.forget("acme")
    assert len(store.facts("acme")) == len(ROWS)


@pytest.mark.parametrize("words", ["No space left on device", "Permission denied"])
def test_a_disk_that_refuses_costs_nothing_of_the_copy(store, tmp_path, words):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    store.work("acme", lambda connection, schema: connection.execute(f"CREATE TABLE {schema}.mark (x INT)"))

    def refused(connection, schema):
        raise duckdb.IOException(f'IO Error: Could not write file "outcomes.duckdb": {words}')

    with pytest.raises(OSError, match=f"the copy of outcomes .* cannot be used: {words[:8]}"):
        store.work("acme", refused)
    found = store.work("acme", lambda connection, schema: connection.execute(f"FROM {schema}.mark").fetchall())
    assert found == []


def test_answers_alone_make_no_rate(store, tmp_path):
    import_outcomes(store, "acme", csv(tmp_path, ROWS[0]), MAPPING, now=NOW)
    (cell,) = store.cells("acme")
    assert (cell.resolved, cell.early, cell.rate) == (0, 1, None)
    assert not store.facts("acme").resolved.any()


def test_nothing_real_is_added_to_the_simulated_world(store, tmp_path):
    with pytest.raises(InputError, match="nothing real is added"):
        import_outcomes(store, "Simulated", csv(tmp_path, *ROWS), MAPPING, now=NOW)


def test_a_kept_import_that_was_not_added_is_added_by_the_next_refresh(store, tmp_path):
    import_outcomes(store, "acme", csv(tmp_path, *ROWS), MAPPING, now=NOW)
    before = list(store.facts("acme").rows())
    store.work(
        "acme",
        lambda connection, schema: [
            connection.execute(f"DELETE FROM {schema}.{table}")
            for table in ("imported", "imports", "outcomes", "events", "outcome_facts", "cells")
        ],
    )  # as if it had been killed between keeping and adding
    store.refresh("acme", NOW)
    assert list(store.facts("acme").rows()) == before
