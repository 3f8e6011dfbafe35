"""When two mentions are the same person, team or role: "the CFO", "our CFO" and "Chief Financial Officer" are one.

Pure, and shared by the rules, the guardrails and the expansion detector.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARTICLES = _words("""
    a an the our my their his her your its this that these those some another new old former interim acting
    current
""")
HONORIFICS = _words("""
    mr mrs ms miss mx dr prof professor sir dame lord lady herr frau mme mlle monsieur madame signor signora sig
    senor senora señor señora sr sra don dona doña ing dipl rev fr
""")
ROLE_WORDS = _words("""
    ceo cfo coo cto cio ciso cmo cro chro cpo cdo cso md gm vp svp evp avp president officer chief director
    manager managers head lead leader leads leaders owner founder cofounder chair chairman chairwoman chairperson
    board committee council union team department procurement infosec purchasing legal finance security it hr
    operations ops sales marketing compliance audit auditor auditors accounting accounts controlling controller
    counsel engineer engineers engineering architect analyst analysts buyer buyers supervisor supervisors planner
    planners boss assistant secretary accountant treasurer treasury partner partners desk matron nurse principal
    dean provost superintendent administrator admin specialist coordinator consultant developer developers
    technician technicians foreman executive executives shareholders investors exco leadership management
    technology people payroll logistics quality qa production maintenance facilities estates warehouse planning
    workforce stakeholder stakeholders sponsor trustee trustees governor governors mailbox reception staff
""")

_ABBREVIATED = {
    "chief executive officer": "ceo",
    "chief executive": "ceo",
    "chief financial officer": "cfo",
    "chief finance officer": "cfo",
    "chief operating officer": "coo",
    "chief operations officer": "coo",
    "chief technology officer": "cto",
    "chief technical officer": "cto",
    "chief information officer": "cio",
    "chief information security officer": "ciso",
    "chief marketing officer": "cmo",
    "chief revenue officer": "cro",
    "chief procurement officer": "cpo",
    "chief people officer": "chro",
    "managing director": "md",
    "general manager": "gm",
    "vice president": "vp",
    "human resources": "hr",
    "information technology": "it",
    "finance director": "finance director",
    "financial director": "finance director",
    "co founder": "cofounder",
    "purchasing": "procurement",
    "operations": "ops",
}
_LONG_FORM = re.compile(
    r"\b(?:" + "|".join(re.escape(form) for form in sorted(_ABBREVIATED, key=len, reverse=True)) + r")\b"
)
_GROUP_WORDS = _words("team department dept division people folks guys lot side group function office")
_PAREN = re.compile(r"[(\[{]([^()\[\]{}]{0,200})[)\]}]")
_POSSESSIVE = re.compile(r"['’ʼ]s?(?=\s|$)")
_NOT_WORD = re.compile(r"[^\w]+", re.UNICODE)
_OF = re.compile(r"\b(\w+(?: \w+)?) (?:of|for) (?:the |our )?(\w+(?: \w+){0,3})$")
_PARTS = re.compile(r"\s*(?:[,;:|/]|\s[-–—]\s)\s*")


class Mention(NamedTuple):
    """A mention taken apart: the name of a person, if there is one, and the roles that go with it."""

    name: str | None
    roles: frozenset[str]


@lru_cache(maxsize=4096)
def normalise_mention(text: str) -> str:
    """The mention without case, articles, possessives, titles, remarks in brackets and words like "team".

    Long role names become their abbreviation and "director of IT" becomes "it director", so that equal results
    mean the same mention. Empty if nothing is left, as of "the".
    """
    plain = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", _PAREN.sub(" ", text)).casefold())
    plain = _LONG_FORM.sub(lambda match: _ABBREVIATED[match.group()], " ".join(_NOT_WORD.sub(" ", plain).split()))
    words = plain.split()
    while words and (words[0] in ARTICLES or words[0] in HONORIFICS):
        words.pop(0)
    while len(words) > 1 and words[-1] in _GROUP_WORDS:
        words.pop()
    return _OF.sub(r"\2 \1", " ".join(words))


@lru_cache(maxsize=4096)
def is_role(text: str) -> bool:
    """Whether a mention is a role, team or department rather than somebody's name."""
    return not ROLE_WORDS.isdisjoint(normalise_mention(text).split())


@lru_cache(maxsize=4096)
def parse_mention(text: str) -> Mention:
    """Takes "Yusuf Erdem (General Counsel)" or "Nadia Elmassri, Enterprise Architect" apart."""
    remarks = _PAREN.findall(text)
    parts = [part for piece in (_PAREN.sub(" , ", text), *remarks) for part in _PARTS.split(piece) if part.strip()]
    roles = frozenset(normalise_mention(part) for part in parts if is_role(part))
    first = parts[0] if parts else text
    return Mention(None if is_role(first) else normalise_mention(first), roles)


@lru_cache(maxsize=8192)
def same_person(a: str, b: str) -> bool:
    """Whether two mentions mean the same person, team or role.

    Names decide where both have one: a part of a name equals the whole ("Walt" and "Walt Brzezicki", "W. Brzezicki"),
    two different surnames do not. Otherwise the roles decide: they have to be equal, a part is not enough.
    """
    one, other = parse_mention(a), parse_mention(b)
    if one.name and other.name:
        return _same_name(one.name, other.name)
    return not one.roles.isdisjoint(other.roles)


def _same_name(a: str, b: str) -> bool:
    shorter, longer = sorted((a.split(), b.split()), key=len)
    return bool(shorter) and all(_in_name(word, longer) for word in shorter)


def _in_name(word: str, name: list[str]) -> bool:
    """Whether a word is in a name, an initial standing for the word it begins."""
    return any(word == part or (1 in (len(word), len(part)) and word[0] == part[0]) for part in name)
