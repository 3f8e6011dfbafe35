from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.llm.completion import Call, Completion, key_of
from engine.llm.faults import FaultError
from engine.llm.recordings import FILE_NAME, RecordingMode, RecordingStore, append_lines, recording
from engine.model.analysis import FallbackReason
from tests.engine.llm.asking import request

CALL = request().call
ANSWER = Completion(
    {"choices": [{"message": {"content": "ja, größer \u2028 \ud83d, 😀"}}]}, latency_ms=12.5, cost_usd=0.25
)


def call_for(number: int, sample: int = 0) -> Call:
    return request(text=f"[0] customer: Number {number}.", sample=sample).call


def answer(number: int, **given: Any) -> Completion:
    return Completion(**{"body": {"number": number}, "latency_ms": None, "cost_usd": None, **given})


def number_in(store: RecordingStore, call: Call) -> int | None:
    found = store.find(call.request, call.sample)
    return found.body["number"] if found else None


async def put(store: RecordingStore, *numbers: int) -> None:
    for number in numbers:
        await store.append(call_for(number).request, answer(number))


async def test_an_answer_comes_back_as_it_came(tmp_path: Path) -> None:
    await RecordingStore(tmp_path).append(CALL.request, ANSWER)

    found = RecordingStore(tmp_path).find(CALL.request)

    assert found == Completion(ANSWER.body, ANSWER.latency_ms, ANSWER.cost_usd, recorded=True)


async def test_a_line_holds_key_sample_request_response_and_times(tmp_path: Path) -> None:
    await RecordingStore(tmp_path).append(CALL.request, ANSWER, 3)

    (line,) = (tmp_path / FILE_NAME).read_text().splitlines()
    fields = json.loads(line)

    assert list(fields) == [
        "key", "sample", "request", "response", "latency_ms", "cost_usd", "recorded_at", "check",
    ]  # fmt: skip
    assert fields["key"] == key_of(CALL.request, 3)
    assert list(fields["request"]) == ["model", "messages", "schema", "temperature", "max_tokens"]


async def test_a_recording_may_say_nothing_of_time_and_cost(tmp_path: Path) -> None:
    await put(RecordingStore(tmp_path), 1)

    found = RecordingStore(tmp_path).find(call_for(1).request)

    assert found is not None
    assert (found.latency_ms, found.cost_usd) == (None, None)


@pytest.mark.parametrize(
    "change",
    [{"model": "openai/other"}, {"text": "other"}, {"temperature": 0.2}, {"max_tokens": 201}, {"sample": 1}],
)
def test_whatever_the_answer_depends_on_is_in_the_key(change: dict[str, Any]) -> None:
    assert request(**change).call.key != CALL.key


def test_the_key_does_not_depend_on_the_order_of_fields() -> None:
    assert key_of(dict(reversed(CALL.request.items())), 0) == CALL.key


async def test_the_first_answer_under_a_key_counts(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    await store.append(CALL.request, answer(1))
    await store.append(CALL.request, answer(2))

    assert number_in(store, CALL) == number_in(RecordingStore(tmp_path), CALL) == 1


async def test_lines_that_another_process_appends_are_found(tmp_path: Path) -> None:
    mine, other = RecordingStore(tmp_path), RecordingStore(tmp_path)
    assert number_in(mine, call_for(1)) is None
    await put(other, 1)
    assert number_in(mine, call_for(1)) == 1
    await put(other, 2)
    assert number_in(mine, call_for(2)) == 2


async def test_ones_own_recordings_lie_above_read_only_ones(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    await RecordingStore(shipped).append(CALL.request, answer(1))
    await put(RecordingStore(shipped), 7)
    store = RecordingStore(own, [shipped])
    assert number_in(store, CALL) == 1

    await store.append(CALL.request, answer(2))

    assert number_in(store, call_for(7)) == 7
    assert number_in(RecordingStore(own, [shipped]), CALL) == 2
    assert number_in(RecordingStore(shipped), CALL) == 1


async def test_a_store_without_a_folder_to_write_to_refuses(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="read-only"):
        await RecordingStore(read_only=[tmp_path]).append(CALL.request, ANSWER)


def test_an_empty_or_missing_folder_has_nothing(tmp_path: Path) -> None:
    assert RecordingStore(tmp_path / "none", [tmp_path]).find(CALL.request) is None
    assert list(tmp_path.iterdir()) == []


async def test_a_torn_last_line_is_passed_over_and_written_past(tmp_path: Path) -> None:
    await put(RecordingStore(tmp_path), 1, 2)
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:-30])

    store = RecordingStore(tmp_path)
    assert [number_in(store, call_for(number)) for number in (1, 2)] == [1, None]
    await put(store, 2, 3)

    assert [number_in(store, call_for(number)) for number in (1, 2, 3)] == [1, 2, 3]
    assert [number_in(RecordingStore(tmp_path), call_for(number)) for number in (1, 2, 3)] == [1, 2, 3]


async def test_a_line_that_is_still_being_written_is_found_when_it_is_whole(tmp_path: Path) -> None:
    await put(RecordingStore(tmp_path), 1)
    file = tmp_path / FILE_NAME
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    store = RecordingStore(tmp_path)
    assert number_in(store, call_for(1)) is None

    with file.open("ab") as end:
        end.write(whole[50:])

    assert number_in(store, call_for(1)) == 1


@pytest.mark.parametrize("place", [20, 200, -20, -3])
async def test_a_changed_byte_hides_its_line_alone(tmp_path: Path, place: int) -> None:
    await put(RecordingStore(tmp_path), 1, 2)
    file = tmp_path / FILE_NAME
    first, second = file.read_bytes().splitlines(keepends=True)
    spoiled = bytearray(first)
    spoiled[place] ^= 1
    file.write_bytes(bytes(spoiled) + second)

    store = RecordingStore(tmp_path)
    assert [number_in(store, call_for(number)) for number in (1, 2)] == [None, 2]


async def test_a_file_that_was_made_anew_is_read_anew(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    await put(store, 1, 2)
    assert number_in(store, call_for(2)) == 2
    (tmp_path / FILE_NAME).unlink()
    await put(RecordingStore(tmp_path), 3)

    assert [number_in(store, call_for(number)) for number in (1, 2, 3)] == [None, None, 3]


async def test_answers_given_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    await asyncio.gather(*(store.append(call_for(number).request, answer(number)) for number in range(40)))

    assert [number_in(RecordingStore(tmp_path), call_for(number)) for number in range(40)] == list(range(40))


WRITER = """
import asyncio, sys
from pathlib import Path
from engine.llm.recordings import RecordingStore
from tests.engine.llm.test_recordings import put
asyncio.run(put(RecordingStore(Path(sys.argv[1])), *range(int(sys.argv[2]), int(sys.argv[3]))))
"""


def test_two_processes_append_to_one_store(tmp_path: Path) -> None:
    ranges = [(0, 60), (60, 120)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start), str(stop)]) for start, stop in ranges
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]

    store = RecordingStore(tmp_path)
    assert [number_in(store, call_for(number)) for number in range(120)] == list(range(120))
    assert len((tmp_path / FILE_NAME).read_bytes().splitlines()) == 120


async def test_an_answer_is_on_disk_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, may_write = threading.Event(), threading.Event()

    def slow_disk(path: Path, lines: bytes) -> None:
        writing.set()
        may_write.wait(60)
        append_lines(path, lines)

    monkeypatch.setattr("engine.llm.recordings.append_lines", slow_disk)
    used = asyncio.create_task(recording(answering, RecordingStore(tmp_path), RecordingMode.LIVE)(CALL))
    await asyncio.to_thread(writing.wait, 60)
    assert not used.done()
    may_write.set()
    await used

    assert number_in(RecordingStore(tmp_path), CALL) == 1


async def test_an_answer_that_comes_with_the_deadline_is_kept(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    asked = asyncio.create_task(recording(answering, store, RecordingMode.LIVE)(CALL))
    await asyncio.sleep(0)  # it has its answer, and waits for the disk
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    store.close()

    assert number_in(RecordingStore(tmp_path), CALL) == 1


async def test_a_full_disk_reaches_every_writer_and_what_was_waiting_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, lines: bytes) -> None:
        raise OSError(28, "No space left on device")

    store = RecordingStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("engine.llm.recordings.append_lines", full)
        appends = (store.append(call_for(number).request, answer(number)) for number in (1, 2))
        ends = await asyncio.gather(*appends, return_exceptions=True)
    await put(store, 3)

    assert [type(end) for end in ends] == [OSError, OSError]
    assert [number_in(store, call_for(number)) for number in (1, 2, 3)] == [1, 2, 3]


async def answering(call: Call) -> Completion:
    return answer(1)


async def failing(call: Call) -> Completion:
    raise FaultError(FallbackReason.SERVER_ERROR)


@pytest.mark.parametrize(
    ("mode", "recorded", "asked"),
    [
        (RecordingMode.LIVE, False, True),
        (RecordingMode.LIVE, True, True),
        (RecordingMode.REUSE, False, True),
        (RecordingMode.REUSE, True, False),
        (RecordingMode.RECORDED, True, False),
    ],
)
async def test_the_mode_decides_who_answers(tmp_path: Path, mode: RecordingMode, recorded: bool, asked: bool) -> None:
    store = RecordingStore(tmp_path)
    if recorded:
        await store.append(CALL.request, answer(0))

    completion = await recording(answering, store, mode)(CALL)

    assert completion.body["number"] == int(asked)
    assert completion.recorded is not asked


async def test_a_failed_call_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FaultError):
        await recording(failing, RecordingStore(tmp_path), RecordingMode.REUSE)(CALL)

    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
