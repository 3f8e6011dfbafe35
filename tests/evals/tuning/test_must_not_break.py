from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import InputError
from evals.errors import RunDamagedError
from evals.tuning.must_not_break import MAX_WHY, MustNotBreak
from tests.evals.runs_of import shipped, talks

TALK = talks()[0]
TURNS = [turn.index for turn in TALK.customer_turns]


@pytest.fixture
def protected(tmp_path: Path) -> MustNotBreak:
    return MustNotBreak(tmp_path / "home" / "must_not_break.jsonl")


def test_turns_come_and_go_and_every_line_stays(protected: MustNotBreak) -> None:
    assert protected.turns() == ()
    first, second = (protected.add(shipped(), TALK.id, turn, by="ines", why="the demo") for turn in TURNS[:2])
    assert protected.turns() == (first, second)
    assert (first.by, first.why, first.key) == ("ines", "the demo", (shipped().name, TALK.id, TURNS[0]))
    protected.remove(shipped().name, TALK.id, TURNS[0], by="otto", why="wrong label")
    assert protected.turns() == (second,)
    again = protected.add(shipped(), TALK.id, TURNS[0], by="ines")
    assert protected.turns() == (second, again)
    assert len(protected.file.read_text().splitlines()) == 4


def test_a_turn_that_is_there_stays_as_it_was_put_there(protected: MustNotBreak) -> None:
    first = protected.add(shipped(), TALK.id, TURNS[0], by="ines", why="the demo")
    assert protected.add(shipped(), TALK.id, TURNS[0], by="otto") == first
    assert protected.turns() == (first,)


def test_several_at_once_lose_nothing(protected: MustNotBreak) -> None:
    places = [(talk.id, turn.index) for talk in talks()[:6] for turn in talk.customer_turns]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: protected.add(shipped(), *place, by="ines"), places))
    assert sorted((own.conversation_id, own.turn) for own in protected.turns()) == sorted(places)


def test_a_line_that_was_altered_is_noticed_and_a_torn_one_is_cut_off(protected: MustNotBreak) -> None:
    protected.add(shipped(), TALK.id, TURNS[0], by="ines")
    whole = protected.file.read_bytes()
    protected.file.write_bytes(whole + whole[:20])
    second = protected.add(shipped(), TALK.id, TURNS[1], by="ines")
    assert protected.turns()[-1] == second
    protected.file.write_bytes(protected.file.read_bytes().replace(b"ines", b"otto", 1))
    with pytest.raises(RunDamagedError):
        protected.turns()


@pytest.mark.parametrize(
    ("conversation", "turn", "said", "words"),
    [
        ("no-such-talk", 1, {}, "no-such-talk"),
        (TALK.id, 999, {}, "not a customer's"),
        (TALK.id, TURNS[0], {"by": " "}, "say who"),
        (TALK.id, TURNS[0], {"why": "x" * (MAX_WHY + 1)}, "at most 500"),
        (TALK.id, TURNS[0], {"why": "a\0b"}, "remove it"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    protected: MustNotBreak, conversation: str, turn: int, said: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        protected.add(shipped(), conversation, turn, **{"by": "ines", **said})
    assert protected.turns() == ()


def test_only_what_is_on_the_list_can_be_taken_off(protected: MustNotBreak) -> None:
    with pytest.raises(InputError, match="not on the list"):
        protected.remove(shipped().name, TALK.id, TURNS[0], by="ines")
