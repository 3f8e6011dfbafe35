"""Reading JSON lines strictly: what is tolerated, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from evals.jsonl import Line, Problem, read_lines

TOLERATED = {
    "nothing unusual": (b'{"a":1}\n{"a":2}\n', [1, 2], [1, 2]),
    "no end of the last line": (b'{"a":1}\n{"a":2}', [1, 2], [1, 2]),
    "CRLF line ends": (b'{"a":1}\r\n{"a":2}\r\n', [1, 2], [1, 2]),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}\n', [1], [1]),
    "blank lines, which are counted": (b'\n{"a":1}\n  \n\t\n{"a":2}\n\n', [1, 2], [2, 5]),
    "exotic line ends within a text": ('{"a":"x\u2028y\u0085z"}\n'.encode(), ["x\u2028y\u0085z"], [1]),
    "an escaped character beyond the basic plane": (b'{"a":"\\ud83d\\ude00"}\n', ["\U0001f600"], [1]),
}

REFUSED = {
    "broken JSON": (b'{"a":1}\n{"a":\n', 2, "each line must hold one whole object"),
    "JSON over several lines": (b'{\n"a":1\n}\n', 1, "each line must hold one whole object"),
    "two objects on a line": (b'{"a":1} {"a":2}\n', 1, "column 9"),
    "a list": (b"[1]\n", 1, "a JSON object {...} is expected, and this is a list"),
    "a number": (b"7\n", 1, "this is a number"),
    "null": (b"null\n", 1, "this is a null"),
    "NaN": (b'{"a":NaN}\n', 1, "NaN at column 6 is not a JSON number"),
    "Infinity": (b'{"a":Infinity}\n', 1, "Infinity at column 6"),
    "negative Infinity": (b'{"a":-Infinity}\n', 1, "Infinity at column 7"),
    "a number beyond all numbers": (b'{"a":1e999}\n', 1, "only finite numbers"),
    "a key given twice": (b'{"a":1,"a":2}\n', 1, "the key 'a' is given twice"),
    "a key given twice further in": (b'{"a":[{"b":1,"b":1}]}\n', 1, "the key 'b' is given twice"),
    "Latin-1": ('{"a":"caf\xe9"}\n'.encode("latin-1"), 1, "byte 0xE9 at column 10"),
    "half a surrogate pair, escaped": (b'{"a":"\\ud800"}\n', 1, "column"),
    "half a surrogate pair, encoded": (b'{"a":"\xed\xa0\x80"}\n', 1, "not UTF-8"),
    "a bare control character": (b'{"a":"\x01"}\n', 1, "control character"),
    "nesting without end": (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}\n", 1, "recursion"),
    "a number of 5,000 digits": (b'{"a":' + b"9" * 5000 + b"}\n", 1, "number out of range"),
}

REFUSED_WHOLE = {
    "UTF-16 with a mark": ('{"a":1}\n'.encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
    "UTF-16 without a mark": ('{"a":1}\n'.encode("utf-16-le"), "the file is UTF-16"),
    "big-endian UTF-16 without a mark": ('{"a":1}\n'.encode("utf-16-be"), "the file is UTF-16"),
    "UTF-32": ('{"a":1}\n'.encode("utf-32"), "the file is UTF-32"),
    "an empty file": (b"", "the file is empty"),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", "the file is empty"),
    "nothing but blank lines": (b"\n\n \n", "the file is empty"),
}


@pytest.mark.parametrize(("content", "values", "numbers"), TOLERATED.values(), ids=TOLERATED)
def test_what_loses_nothing_is_tolerated(tmp_path: Path, content: bytes, values: list[object], numbers: list[int]):
    lines = _lines(_file(tmp_path, content))
    assert [line.fields["a"] for line in lines] == values
    assert [line.number for line in lines] == numbers


@pytest.mark.parametrize(("content", "line", "said"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_would_need_guessing_is_a_problem(tmp_path: Path, content: bytes, line: int, said: str):
    file = _file(tmp_path, content)
    problem = next(item for item in read_lines(file) if isinstance(item, Problem))
    assert (problem.file, problem.line) == (file, line)
    assert said in problem.text


@pytest.mark.parametrize(("content", "said"), REFUSED_WHOLE.values(), ids=REFUSED_WHOLE)
def test_a_file_that_cannot_be_read_at_all_is_one_problem(tmp_path: Path, content: bytes, said: str):
    (problem,) = read_lines(_file(tmp_path, content))
    assert isinstance(problem, Problem)
    assert said in problem.text
    assert problem.line is None


def test_a_bad_line_does_not_hide_those_after_it(tmp_path: Path):
    found = list(read_lines(_file(tmp_path, b'{"a":1}\n{"a":\nnull\n{"a":2}\n')))
    assert [type(item) for item in found] == [Line, Problem, Problem, Line]


def test_a_line_is_kept_byte_for_byte(tmp_path: Path):
    (line,) = _lines(_file(tmp_path, b'\xef\xbb\xbf{ "a" : 1 }\r\n'))
    assert line.raw == b'{ "a" : 1 }'


def test_a_problem_never_quotes_the_content(tmp_path: Path):
    file = _file(tmp_path, b'{"a":"a secret"\n{"a":"a secret","a":"a secret"}\n{"a":"a secret \xe9"}\n["a secret"]\n')
    problems = [item for item in read_lines(file) if isinstance(item, Problem)]
    assert len(problems) == 4
    assert not any("secret" in str(problem) for problem in problems)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_opened_is_an_input_error(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="cannot be read"):
        list(read_lines(tmp_path / name))


def _file(folder: Path, content: bytes) -> Path:
    file = folder / "lines.jsonl"
    file.write_bytes(content)
    return file


def _lines(file: Path) -> list[Line]:
    found = list(read_lines(file))
    assert all(isinstance(item, Line) for item in found), found
    return [item for item in found if isinstance(item, Line)]
