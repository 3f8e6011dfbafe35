"""What is not meant as it reads: suppositions, negations, doubts, things taken back, words to the machine."""

from __future__ import annotations

import re

from engine.rules.phrases import Phrases
from engine.rules.sentence import Sentence, word_set

_SCOPE = 45  # characters before a word in which a "not" still denies it

_SUPPOSES = Phrases("""
    if_only | what_if | suppose/supposing/imagine ~so/not | let's_say/let's_assume/let's_suppose/let's_pretend
    say we/you/they/i ~so/no/yes | hypothetical* | theoretical* | in_theory | in_an_ideal_world
    assume/assuming we/you/they/i/it/there/that | i/we wish | were we/they/it to
    would/could/might/should [*] have been/had | would/could/might/should [*] have *ed
    if ** had/were/could/would/got/did/gave/said/came/went/wrote/wanted/needed/found/made/took/brought/decided
    if i/we/they/he/she/it/you/legal/finance *ed | if ** approved/existed/worked/weren't/wasn't/hadn't/didn't/was
""")
_INVERTED = re.compile(r"(?:^|[,;] ?)(?:had|were) (?:we|i|they|there|it)\b")
_CONSEQUENCE = Phrases("would/could/might/wouldn't/couldn't | i'd/we'd/you'd/he'd/she'd/they'd/it'd/that'd")

_NEGATOR = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|hardly|barely|cannot|zero|lack(?:s|ing)?|nowhere|\w+n't"
    r"|(?:do|does|did|is|are|was|has|have|can|wo|would|could)nt|stopped|except|beyond|instead of|rather than)\b"
)
_SHORTAGE = re.compile(r"\b(?:short of|shortage of|lack of|out of)\s*(?:\w+\s*){0,2}$")
_NOT_ONLY = re.compile(r"\bnot (?:only|just|least|to mention|that i)\b|\bno (?:doubt|question|wonder)\b|\bwhy not\b")
_CLAUSE_END = re.compile(r"[,;:.()!?]|\b(?:but|because|so|and|which|that|although|though|while|if|when|who)\b")

_HEDGED = Phrases("""
    maybe | perhaps | probably | possibly | presumably | supposedly | hopefully | somehow | ish | i_think | i_guess
    i'd_guess | i'd_say | i'd_have_said | i_suppose | i_believe | not_sure | unsure | might | may_be | could_be
    roughly_speaking | from_memory | as_far_as_i_know | don't_quote_me | don't_hold_me | i_don't_know | no_idea
    depends | i_want_to_say | in_principle | eventually | i'd have/want to look/check
""")
_WAS = "is/are/was/were/got/been/has/have/just/they've/we've/it's/that's/they/we"
TAKEN_BACK = Phrases(f"""
    {_WAS} ... gone/withdrawn/pulled/cut/cancel*/frozen/froze/reallocat*/redirect*/lost/on_hold/rescinded/blocked
    {_WAS} ... paused/dropped/scrapped/slashed/evaporated/shelved/axed/divert*/reclaimed/removed/suspended/postponed
    {_WAS} ... vanished/disappeared/spent/clawed_back/taken_away/taken_back
    don't/doesn't/didn't/won't/not/isn't/aren't ... anymore/any_more/any_longer | no_longer
    budget/spending/investment/hiring/purchasing/recruitment freeze/cut/cuts/stop
    lost/lose/losing the/our/my/that/their [*] budget/funding/money/line
""")
_TO_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,40}\b(?:instructions?|prompts?|rules|guidelines)\b"
    r"|\b(?:system|developer) ?prompt\b"
    r"|\b(?:you are|act as|pretend to be)\b[^.!?\n]{0,30}\b(?:ai|assistant|bot|llm|language model)\b"
    r"|\b(?:mark|set|flag|record|classify|score)\b[^.!?\n]{0,30}"
    r"\b(?:budget|authority|need|timeline|champion|deal|lead|opportunity|confidence)\b"
    r"[^.!?\n]{0,20}\b(?:as|to|approved|confirmed|qualified|won|100)\b"
)
_MACHINE_WORDS = word_set("""
    instructions instruction prompt prompts rules guidelines ai assistant bot llm mark set flag record classify
    score
""")


def supposes(sentence: Sentence, *, after: Sentence | None = None) -> bool:
    """Whether a sentence speaks of what is not so. A "would" right after a supposition still does."""
    if _SUPPOSES.are_in(sentence) or (
        ("had" in sentence.words or "were" in sentence.words) and _INVERTED.search(sentence.folded)
    ):
        return True
    return after is not None and after.supposes and _CONSEQUENCE.are_in(sentence)


def negated(sentence: Sentence, at: int) -> bool:
    """Whether what stands at position `at` is denied in its own clause. Two negations cancel out.

    "We have no budget" denies it; "we're not short of budget" and "not only the budget" do not.
    """
    before = sentence.folded[max(0, at - _SCOPE) : at]
    cuts = [found.end() for found in _CLAUSE_END.finditer(before)]
    before = before[cuts[-1] :] if cuts else before
    count = len(_NEGATOR.findall(before))
    if count and (_NOT_ONLY.search(before) or (count == 1 and _SHORTAGE.search(before))):
        return False
    return count % 2 == 1


def hedged(sentence: Sentence) -> bool:
    """Whether the customer is not sure ("I think", "maybe", "from memory")."""
    return _HEDGED.are_in(sentence)


def taken_back(sentence: Sentence) -> bool:
    """Whether something that was there is said to be gone, frozen or no longer so."""
    return TAKEN_BACK.are_in(sentence)


def addresses_the_machine(sentence: Sentence) -> bool:
    """Whether a sentence instructs the software that reads it, rather than the person."""
    return not sentence.words.isdisjoint(_MACHINE_WORDS) and _TO_MACHINE.search(sentence.folded) is not None
