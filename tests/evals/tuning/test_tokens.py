"""Tokens are estimated offline, near enough to plan with."""

from __future__ import annotations

import pytest

from engine.prompts import Message, PromptLibrary
from engine.replies import reply_of
from evals.tuning.tokens import PER_MESSAGE, PER_REQUEST, estimated, tokens

# Counted with OpenAI's o200k_base.
COUNTED = {"chat": 268, "extraction": 1332, "expansion": 864, "question": 1889, "system": 1839}


@pytest.mark.parametrize("name", COUNTED)
def test_the_estimate_is_within_15_percent_of_what_was_counted(name: str):
    assert tokens(PromptLibrary().load(name).content.decode()) == pytest.approx(COUNTED[name], rel=0.15)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("one", 1, 1),
        ("予算はまだ承認されていませんが、来月には決定する予定です。", 15, 35),
        ("Übernachtungskosten", 3, 8),
        ("48,000 EUR in 2025-11-03", 8, 16),
    ],
)
def test_other_texts_take_what_can_be_expected(text: str, low: int, high: int):
    assert low <= tokens(text) <= high


def test_a_request_counts_its_messages_and_its_schema():
    messages = (Message(role="system", content="one"), Message(role="user", content="two"))
    bare = estimated(messages, None, max_tokens=512)
    assert bare.tokens_in == 2 + 2 * PER_MESSAGE + PER_REQUEST
    assert (bare.tokens_out_at_most, bare.usd_in, bare.usd_out_at_most) == (512, None, None)
    assert estimated(messages, reply_of("question"), max_tokens=512).tokens_in > bare.tokens_in + 300


def test_a_price_is_given_where_it_is_known():
    messages = (Message(role="user", content="word " * 1000),)
    known = estimated(messages, None, max_tokens=1000, model="openai/gpt-4.1")
    assert known.usd_in is not None
    assert known.usd_out_at_most is not None
    assert 0 < known.usd_in < known.usd_out_at_most
    unknown = estimated(messages, None, max_tokens=1000, model="openai/nobody-knows-this-one")
    assert (unknown.usd_in, unknown.usd_out_at_most) == (None, None)
