"""A prompt set is a value: prompts by name, one hash, and a library without any folder."""

from __future__ import annotations

import hashlib

import pytest

from engine.errors import PromptError
from engine.model.context import ConversationContext
from engine.model.conversation import Speaker, Turn
from engine.prompts import PromptLibrary, PromptSet, build_qualification_extraction_prompt, read_prompt
from tests.engine.prompts.files import prompt_file


def prompt(text: str, name: str = "greeting", version: str = "v1"):
    return read_prompt(prompt_file(f"## user\n{text} {{{{ who }}}}", name=name, version=version), where=name)


def test_the_hash_is_that_of_the_sorted_names_and_content_hashes():
    one, other = prompt("Hi"), prompt("Bye", "farewell")
    found = PromptSet.from_prompts([one, other])
    lines = f"farewell {other.hash}\ngreeting {one.hash}\n"
    assert found.hash == hashlib.sha256(lines.encode()).hexdigest()
    assert found.short == found.hash[:8]
    assert PromptSet.from_prompts([other, one]).hash == found.hash
    assert found.with_prompts(prompt("Hello", version="v2")).hash != found.hash


def test_contents_give_the_same_set_byte_for_byte():
    shipped = PromptSet.of(PromptLibrary())
    again = PromptSet.from_contents(shipped.contents())
    assert again.hash == shipped.hash
    assert [own.content for own in again.prompts.values()] == [own.content for own in shipped.prompts.values()]
    marked = b"\xef\xbb\xbf" + prompt_file().replace(b"\n", b"\r\n").rstrip()
    kept = PromptSet.from_prompts([read_prompt(marked, where="greeting")])
    assert PromptSet.from_contents(kept.contents()).prompt("greeting").content == marked


def test_a_set_is_a_library_that_needs_no_folder():
    shipped = PromptSet.of(PromptLibrary())
    library = PromptSet.from_contents(shipped.contents()).library()
    assert library.names() == tuple(shipped.prompts)
    assert library.hashes() == shipped.hashes()
    turn = Turn(index=0, speaker=Speaker.CUSTOMER, text="We lose two days a week.")
    asked = build_qualification_extraction_prompt(ConversationContext(), turn, (), prompts=library)
    assert asked == build_qualification_extraction_prompt(ConversationContext(), turn, ())


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda one: one.prompt("farewell"), "has no prompt 'farewell'; it has: greeting"),
        (lambda one: one.library().load("farewell"), "there is no prompt 'farewell'; there are: greeting"),
        (lambda one: one.library().load("greeting", "v2"), "has no version 'v2'; it has: v1"),
        (lambda one: one.library().find("greeting@00000000"), "no version of the prompt 'greeting'"),
        (lambda one: PromptSet.from_contents({"farewell": one.contents()["greeting"]}), "kept as 'farewell'"),
    ],
)
def test_what_a_set_has_not_is_said(act, problem):
    with pytest.raises(PromptError) as caught:
        act(PromptSet.from_prompts([prompt("Hi")]))
    assert problem in str(caught.value)


def test_given_prompts_come_before_files_and_choosing_another_version_takes_them_back(tmp_path):
    (tmp_path / "greeting").mkdir()
    (tmp_path / "greeting" / "v1.md").write_bytes(prompt_file())
    library = PromptLibrary(shipped=tmp_path)
    given = prompt("Softly", version="v2")
    assert library.using(given).load("greeting") is given
    assert library.using(given).versions("greeting") == ("v1", "v2")
    assert library.using(given).find(given.ref) is given
    assert library.using(given).load("greeting", "v1").version == "v1"
    assert library.using(given).choosing({"greeting": "v1"}).load("greeting").version == "v1"
    assert library.load("greeting").version == "v1"
