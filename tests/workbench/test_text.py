from __future__ import annotations

import pytest

from workbench.text import (
    UnknownNameError,
    clip,
    count,
    duration,
    money,
    near,
    one_of,
    percent,
    printable,
    table,
    width,
)


@pytest.mark.parametrize(
    ("usd", "said"),
    [(None, "unknown"), (0.0, "$0.00"), (0.00042, "$0.0004"), (0.5, "$0.5000"), (1.0, "$1.00"), (1234.5, "$1,234.50")],
)
def test_money_shows_enough_digits_and_never_a_zero_for_an_unknown_price(usd, said):
    assert money(usd) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0.04, "0.0 s"),
        (9.99, "10.0 s"),
        (12.4, "12 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_said_in_the_units_a_person_uses(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "nouns", "said"),
    [(0, ("turn",), "0 turns"), (1, ("turn",), "1 turn"), (1204, ("reply", "replies"), "1,204 replies")],
)
def test_counts_agree_with_their_noun(number, nouns, said):
    assert count(number, *nouns) == said


@pytest.mark.parametrize(("part", "whole", "said"), [(0, 0, "-"), (1, 3, "33 %"), (3, 3, "100 %")])
def test_a_share_of_nothing_is_no_number(part, whole, said):
    assert percent(part, whole) == said


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("b2b_discvery", ["b2b_discovery"]),
        ("B2B_DISCOVERY", ["b2b_discovery"]),
        ("disco", ["b2b_discovery"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_near_matches_forgive_letters_case_and_missing_parts(name, found):
    assert near(name, ["b2b_discovery", "mine"]) == found


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("runz", ["runs", "other"], "there is no thing 'runz'; did you mean runs?"),
        ("zzz", ["a", "b", "c"], "there is no thing 'zzz'; there is a, b and c"),
        ("zzz", [], "there is no thing 'zzz'"),
        ("zzz", [f"{'long' * 8}-{i}" for i in range(9)], "-1 and more"),
        ("\x1b[31m", ["a"], "'\ufffd[31m'"),
    ],
)
def test_an_unknown_name_is_answered_with_what_is_near_or_what_there_is(name, known, said):
    assert said in str(UnknownNameError("thing", name, known))


def test_lists_of_names_read_like_a_sentence():
    assert [one_of(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text\nin two lines\twith a tab", "plain text\nin two lines\twith a tab"),
        ("\x1b]0;owned\x07", "\ufffd]0;owned\ufffd"),
        ("pay \u202e0001$\u202c now", "pay \ufffd0001$\ufffd now"),
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("naïve 你好 👩‍👩‍👧", "naïve 你好 👩‍👩‍👧"),
    ],
)
def test_text_for_a_terminal_cannot_command_it_and_keeps_every_language(text, safe):
    assert printable(text) == safe


def test_columns_line_up_also_with_wide_characters_and_empty_cells():
    shown = table([["你好", "1"], ["ab", "12"], ["", "3"]], ["name", "n"], right=[1]).split("\n")
    assert shown == ["name   n", "你好   1", "ab    12", "       3"]
    assert len({width(line) for line in shown}) == 1


def test_a_cell_stays_on_its_line_whatever_is_in_it():
    assert table([["a\nb\x1b[2J"]], ["x"]).count("\n") == 1


@pytest.mark.parametrize(
    ("text", "columns", "cut"), [("short", 10, "short"), ("a  b\nc", 10, "a b c"), ("abcdef", 4, "abc…")]
)
def test_text_is_cut_to_one_line_of_the_width(text, columns, cut):
    assert clip(text, columns) == cut
