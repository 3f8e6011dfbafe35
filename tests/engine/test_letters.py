"""A reply is taken apart into greeting, paragraphs and sign-off, and put together again as it was."""

from __future__ import annotations

import pytest

from engine.letters import Letter, is_greeting, letter_of

BODY = (("One thing.", "Another."), ("What next?",))


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Hi Ida,\n\nOne thing. Another.\n\nWhat next?\n\nBest,\nTom", Letter(BODY, "Hi Ida,", "Best,\nTom")),
        ("Ida,\n\nOne thing. Another.\n\nWhat next?\n\nTom", Letter(BODY, "Ida,", "Tom")),
        ("Dear Ms Holm,\nOne thing. Another.\n\nWhat next?", Letter(BODY, "Dear Ms Holm,")),
        ("One thing. Another.\n\nWhat next?\nKind regards,\nTom Berg", Letter(BODY, "", "Kind regards,\nTom Berg")),
        ("Hello!\n\nOne thing. Another.\n\nWhat next?\n\nKind regards", Letter(BODY, "Hello!", "Kind regards")),
        ("Morning Ida! One thing.", Letter((("Morning Ida!", "One thing."),))),
        ("Ask Mr. Holm and Dr. Berg. Then tell me.", Letter((("Ask Mr. Holm and Dr. Berg.", "Then tell me."),))),
        ("One thing.\n\nThank you for that.", Letter((("One thing.",), ("Thank you for that.",)))),
        ("What next?", Letter((("What next?",),))),
        ("Thursday, then", Letter((("Thursday, then",),))),
        ("", Letter(())),
    ],
)
def test_a_reply_has_a_greeting_paragraphs_of_sentences_and_a_sign_off(text: str, letter: Letter) -> None:
    assert letter_of(text) == letter
    assert letter_of(letter.text) == letter


def test_a_paragraph_that_keeps_no_sentence_goes() -> None:
    letter = Letter(BODY, "Hi Ida,", "Tom").keeping(lambda sentence: sentence != "What next?")
    assert letter.text == "Hi Ida,\n\nOne thing. Another.\n\nTom"


def test_words_are_counted_without_greeting_and_sign_off() -> None:
    assert Letter(BODY, "Hi Ida,", "Best,\nTom").word_count == 5


@pytest.mark.parametrize(
    ("sentence", "greets"),
    [("Hi Ida,", True), ("Good morning Ida!", True), ("Hi, how are you?", False), ("Highly unusual.", False)],
)
def test_a_greeting_does_no_more_than_greet(sentence: str, greets: bool) -> None:
    assert is_greeting(sentence) is greets
