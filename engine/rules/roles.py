"""Roles, teams and departments named in a sentence: "our CFO", "head of procurement", "the works council"."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.rules.sentence import Sentence, word_set

EXECUTIVES = word_set("""
    ceo cfo coo cto cio ciso cmo cro chro cpo cdo cso md gm vp svp evp founder cofounder owner owners president
    chair chairman chairwoman chairperson board shareholders investors partners exco
""")
_ACRONYMS = word_set("ceo cfo coo cto cio ciso cmo cro chro cpo cdo cso md gm vp svp evp")
_DEPARTMENTS = word_set("""
    procurement purchasing legal finance infosec compliance accounting accounts controlling treasury payroll audit
    security marketing operations ops engineering logistics estates facilities maintenance sales quality hr qa it
    risk
""")
_BODIES = word_set("""
    board committee council union shareholders investors exco leadership management trustees governors owners
""")
_PERSONS = word_set("""
    president officer director directors manager managers head lead leads leader leaders owner founder cofounder
    chair chairman chairwoman chairperson controller counsel engineer engineers architect architects analyst
    analysts buyer buyers supervisor supervisors planner planners boss treasurer accountant technician technicians
    foreman nurse matron dean provost superintendent administrator admin coordinator specialist secretary
    assistant sponsor partner developer developers team department desk chief
""")
_HEADS = _ACRONYMS | _DEPARTMENTS | _BODIES | _PERSONS
_OTHER_HEADS = _HEADS - {"it"}
_MODIFIERS = _DEPARTMENTS | word_set("""
    chief executive financial operating technical technology information general managing deputy vice senior
    junior assistant associate regional global group area country local national corporate commercial product
    project program programme production plant factory supply chain warehouse fleet service customer support
    success account key client business data digital ecommerce e-commerce innovation strategy people talent human
    resources training learning health safety environmental medical clinical nursing nurse ward patient claims
    underwriting actuarial credit lending loan branch retail store category demand planning development research
    r&d lab laboratory regulatory validation process manufacturing machining foundry assembly shift team site
    construction property asset energy network infrastructure platform cloud software systems system applications
    application identity enterprise solution solutions internal external independent supervisory executive
    advisory steering investment works staff student academic finance tax cost workforce rostering transport
    traffic dispatch field front office back reception housekeeping hotel kitchen hire depot yard vendor
    third-party procurement contracts contract tender change release test design creative brand content media
    digital growth revenue pricing partner channel line night day union non-executive member working office
    hospital school university department departmental faculty own direct immediate top upper
""")
_OWN = word_set("our my the their his her its one your an a new another other every each no any some this")
_GENERIC = word_set("a an every each no any some other your this")
_STANDS_ALONE = re.compile(
    r"(?:'s\b)?[\s,.;:!?)\"-]*$|[\s,.;:!?)\"-]+(?:is|are|was|were|has|have|had|will|would|won't|can|can't|could|should"
    r"|must|may|might|did|does|do|doesn't|don't|didn't|said|says|say|want|wants|wanted|need|needs|needed|asked|asks|ask"
    r"|and|or|but|to|in|on|at|for|who|which|that|then|first|before|after|because|when|if|as|by|team|department|people"
    r"|folks|guys|signs?|sign|approves?|requires?|expects?|rejects?|reviews?|decides?|looks?|likes?|thinks?|knows?|owns?|runs?|handles?|told|sends?"
    r"|gets?|takes?|insists?|blocked|blocks?|already|also|always|never|only|just|still|too|once|here|there|with)\b"
)
_SELF = re.compile(r"\b(?:i'm|i am|as|me,|i was|i've been) (?:just |only )?(?:the |a |an |your |our )?$")
_TOKEN = re.compile(r"[^\W_]+(?:['&/-][^\W_]+)*")
_OF = re.compile(r" (?:of|for) (?:the |our )?([^\W_]+(?:[ &-][^\W_]+)?)")
_OF_STOP = word_set("the our a an this that last next all it us you ours theirs mine them")
_GROUPS = word_set("team department desk chief assistant partner secretary sponsor head lead leads")
_NEEDS_PREPOSITION = word_set("accounts quality risk audit sales operations ops facilities logistics marketing estates")
_BY_PREPOSITION = re.compile(r"(?:^|\b(?:with|in|from|to|by|ask|asked|and|our)\s|[,(]\s?)$")


class Role(NamedTuple):
    """A role in a sentence: its span with the article, and its name without."""

    start: int
    end: int
    name: str


def roles(sentence: Sentence) -> tuple[Role, ...]:
    """The roles, teams and departments of the customer's side that a sentence names, in order.

    Not the seller's ("your CFO"), not the speaker's own ("I'm the CFO"), not any in general ("a manager").
    """
    if sentence.words.isdisjoint(_OTHER_HEADS) and "IT" not in sentence.text:
        return ()
    tokens = list(_TOKEN.finditer(sentence.folded))
    found: list[Role] = []
    for position, token in enumerate(tokens):
        if token.group().removesuffix("'s") in _HEADS and not (found and token.start() < found[-1].end):
            role = _role(sentence, tokens, position)
            if role is not None:
                found = [earlier for earlier in found if earlier.end <= role.start] + [role]
    return tuple(found)


def is_executive(name: str) -> bool:
    """Whether a role usually releases money: C-level, owner, managing or finance director, board."""
    words = set(re.findall(r"\w+", name.casefold()))
    return bool(
        words & EXECUTIVES
        or {"chief"} & words
        or ({"director"} & words and words & {"managing", "finance", "financial"})
    )


def _role(sentence: Sentence, tokens: list[re.Match[str]], position: int) -> Role | None:
    token = tokens[position]
    head = token.group().removesuffix("'s")
    first = position
    while first > 0 and position - first < 4 and _modifies(sentence, tokens, first):
        first -= 1
    article = tokens[first - 1].group() if first > 0 and _adjacent(sentence, tokens, first) else ""
    end = token.start() + len(head)
    of = _OF.match(sentence.folded, end) if head in _PERSONS or head in _ACRONYMS else None
    if of and of.group(1).split()[0] not in _OF_STOP:
        end = _end_of(of)
    if not _names_somebody(
        sentence, head, token, modified=first < position or of is not None, article=article, end=end
    ):
        return None
    start = tokens[first - 1].start() if article in _OWN else tokens[first].start()
    if _SELF.search(sentence.folded, max(0, start - 16), start):
        return None
    return Role(start, end, sentence.text[tokens[first].start() : end])


def _modifies(sentence: Sentence, tokens: list[re.Match[str]], first: int) -> bool:
    return tokens[first - 1].group() in _MODIFIERS and _adjacent(sentence, tokens, first)


def _adjacent(sentence: Sentence, tokens: list[re.Match[str]], first: int) -> bool:
    return sentence.folded[tokens[first - 1].end() : tokens[first].start()] == " "


def _end_of(of: re.Match[str]) -> int:
    """Where "head of X Y" ends: Y belongs to it only where it is a word of a department."""
    words = of.group(1).split()
    if len(words) == 1 or words[1] in _MODIFIERS or words[1] in _HEADS:
        return of.end()
    return of.start(1) + len(words[0])


def _names_somebody(
    sentence: Sentence, head: str, token: re.Match[str], *, modified: bool, article: str, end: int
) -> bool:
    if article == "your" or (article in _GENERIC and head not in _ACRONYMS):
        return False
    if head in _DEPARTMENTS:
        return _is_department(sentence, head, token, modified=modified, article=article, end=end)
    if head in _ACRONYMS:
        return sentence.text[token.start() : token.start() + len(head)].isupper() or article in _OWN or modified
    if head in _BODIES:
        on_it = sentence.folded.endswith("on the ", 0, token.start())
        return (article in ("the", "our", "my", "their") and head != "council" and not on_it) or modified
    if head in _GROUPS or (_is_plural(head) and article != "our"):
        return modified
    return modified or head == "matron" or article in ("our", "my", "their", "the")


def _is_plural(head: str) -> bool:
    return head.endswith("s") and not head.endswith("ss")


def _is_department(
    sentence: Sentence, head: str, token: re.Match[str], *, modified: bool, article: str, end: int
) -> bool:
    written = sentence.text[token.start() : token.start() + len(head)]
    if (
        not _alone(sentence, end)
        or (head == "it" and not written.isupper())
        or (article in _OWN - {"our", "my", "the"})
    ):
        return False
    if head in _NEEDS_PREPOSITION and not modified:
        return _BY_PREPOSITION.search(sentence.folded, max(0, token.start() - 8), token.start()) is not None
    return True


def _alone(sentence: Sentence, end: int) -> bool:
    """Whether a department stands for its people: "legal said", not "legal advice"."""
    return _STANDS_ALONE.match(sentence.folded, end) is not None
