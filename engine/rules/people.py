"""People, roles and teams that a customer mentions; not the seller, the contact, or whom we know already."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engine.people import HONORIFICS, is_role, same_person
from engine.rules.given_names import GIVEN_NAMES
from engine.rules.roles import Role, roles
from engine.rules.sentence import Sentence, word_set

LONGEST_NAME = 4  # words
LONGEST_GREETING = 45  # characters

_CAPITAL = re.compile(r"(?<![^\W_])[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*\.?")
_PARTICLES = word_set("van von de der den del della di da dos das la le el al bin ibn ter ten zu af av y e")
_NOT_NAMES = word_set("""
    i january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday english german french spanish dutch european american christmas
    easter ramadan the this that these those and but or so if when while since because what who how why where yes
    no not also then there we you he she it they my our your his her their an a in on at to for from of by with as
    is are was were do does did can could would will should may might must have has had let please thanks thank hi
    hello dear hey regards best kind warm cheers sincerely yours sorry ok okay well now today tomorrow yesterday
    maybe ask tell nobody somebody someone everybody everyone one two three four five some most many all any each
    every both either neither another nothing something everything suppose honestly officially unofficially
    basically actually frankly currently right after before until unless although though during without within
    under over about just only still even never always sometimes usually often again here however otherwise short
    long new old first second third next last same until dear re fwd see call talk speak please good great bad
    fine nice happy half target dates subject sent
""")
_ORGANISATION = word_set("""
    ltd gmbh ag inc llc plc bv nv as ab sa srl co corp group bank university college hospital council street road
    square centre center systems software solutions house building airport station north south east west line hall
""")
_NAMING = GIVEN_NAMES | HONORIFICS
_PRONOUNS = word_set("he she him his her he's she's he'd she'd he'll she'll himself herself")
_HUMAN_ACTS = word_set("""
    says said told thinks thought likes hates loves laughed retired quit resigned reckons worries worried shrugged
    insisted argued complained mentioned agreed knows decides decided signs signed approves handles wants wanted
    asked asks left joined rang owns runs heads leads reports hired cares presented presents
""")
_HUMAN_WORDS = _HUMAN_ACTS | word_set("who himself herself and is")
_HUMAN_AFTER = re.compile(
    r"['’]s (?:team|people|boss|desk|folks|guys|lot|department|approval|signature|sign-off|call|decision|view|budget)\b"
    rf"|,? (?:{'|'.join(sorted(_HUMAN_ACTS))}|and (?:i|me)|who|himself|herself)\b"
    r"| is (?:on|off|out|away|retiring|leaving|in favour|sceptical|keen)\b"
)
_APPOSITION_AFTER = re.compile(
    r"^(?:\s?[,(;-]?\s?(?:who(?:'s| is)|is|was|she(?:'s| is)|he(?:'s| is)|that's|over|up|down|here|from|in|at|of|heads?"
    r"|runs?|leads?|as|so)?\s?(?:our|the|my|their|a)?\s?)$"
)
_APPOSITION_BEFORE = re.compile(r"^\s?[,(:;-]?\s?(?:is |was |named |called |\()?(?:mr|mrs|ms|dr|prof)?\.?\s?$")
_GREETING = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|morning|thanks|thank you|thx|cheers)?,?\s*"
    r"(?:mr|mrs|ms|dr|prof)?\.?\s*[^\W\d_][\w'-]*(?:\s[^\W\d_][\w'-]*){0,2}\s?[,!]?$"
)
_GREETS = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|morning)\b,?\s+(?:mr|mrs|ms|dr|prof)?\.?\s*"
)


class Mentioned(NamedTuple):
    """Somebody mentioned: the name or role as to be shown, what is said to be the role, and where."""

    name: str
    role: str | None
    sentence: Sentence
    start: int
    end: int

    @property
    def title(self) -> str:
        """The name with the role, where both are known."""
        return f"{self.name} ({self.role})" if self.role else self.name


def mentioned(sentences: Sequence[Sentence]) -> tuple[Mentioned, ...]:
    """Everybody mentioned in a turn, in order, once per sentence. Greetings and signatures do not count."""
    found: list[Mentioned] = []
    for position, sentence in enumerate(sentences):
        if sentence.to_machine or _is_greeting(sentences, position):
            continue
        held = roles(sentence)
        pronoun = _speaks_of_somebody(sentences, position)
        named = _names(sentence) if held or _may_name(sentence, pronoun) else []
        if not named and not held:
            continue
        here = _in_sentence(sentence, named, list(held), pronoun)
        if found and found[-1].sentence is sentences[position - 1] and _only_a_role(sentence, here):
            found[-1] = found[-1]._replace(role=here[0].name)
        else:
            found += here
    return tuple(found)


def strangers(everybody: Iterable[Mentioned], known: Sequence[str]) -> tuple[Mentioned, ...]:
    """Those who are not among `known`, each once: the first mention, with the fullest name and role of all."""
    first: list[Mentioned] = []
    for mention in everybody:
        if any(same_person(mention.title, other) or same_person(mention.name, other) for other in known):
            continue
        twin = next((index for index, other in enumerate(first) if _same(mention, other)), None)
        if twin is None:
            first.append(mention)
        else:
            first[twin] = _fuller(first[twin], mention)
    return tuple(first)


def addressed(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """The name that a message greets, if it begins with one: who writes to us knows the seller's name."""
    if not sentences:
        return ()
    text = sentences[0].text
    greeting = _GREETS.match(sentences[0].folded)
    rest = text[greeting.end() :] if greeting else (text if text.endswith(",") else "")
    name = rest.split(",")[0].rstrip("!. ")
    return (name,) if 0 < len(name.split()) <= 3 else ()


def _same(a: Mentioned, b: Mentioned) -> bool:
    return (
        same_person(a.name, b.name)
        or bool(a.role and same_person(a.role, b.name))
        or bool(b.role and same_person(b.role, a.name))
    )


def _fuller(first: Mentioned, later: Mentioned) -> Mentioned:
    longer = len(later.name) > len(first.name) and not is_role(later.name)
    name = later.name if longer or is_role(first.name) else first.name
    return first._replace(name=name, role=first.role or later.role)


def _is_greeting(sentences: Sequence[Sentence], position: int) -> bool:
    text = sentences[position].text
    opens = position == 0 and text.endswith((",", "!"))
    closes = position >= len(sentences) - 2 > 0 and not text.endswith((".", "?", "!"))
    return (opens or closes) and len(text) <= LONGEST_GREETING and bool(_GREETING.match(sentences[position].folded))


def _speaks_of_somebody(sentences: Sequence[Sentence], position: int) -> bool:
    """Whether a sentence or the next one says "he" or "she"."""
    return any(not sentence.words.isdisjoint(_PRONOUNS) for sentence in sentences[position : position + 2])


def _in_sentence(
    sentence: Sentence, named: list[tuple[int, int, str]], held: list[Role], pronoun: bool
) -> list[Mentioned]:
    """The names that are people's, with the roles that belong to them, and the roles that stand alone."""
    found: list[Mentioned] = []
    for start, end, name in named:
        role = next((role for role in held if _belongs(sentence, start, end, role)), None)
        opens = start == 0 and not _set_off(sentence, end)
        if not _is_person(sentence, name, end, pronoun and start > 0) and (role is None or opens):
            continue
        if role is not None:
            held.remove(role)
        found.append(Mentioned(name, role.name if role else None, sentence, start, end))
    found += [Mentioned(role.name, None, sentence, role.start, role.end) for role in held]
    return sorted(found, key=lambda mention: mention.start)


def _belongs(sentence: Sentence, start: int, end: int, role: Role) -> bool:
    """Whether a role stands in apposition to the name at this span: "Walt, our CFO" or "our CFO, Walt"."""
    if role.start >= end:
        gap = sentence.folded[end : role.start]
        return len(gap) <= 20 and _APPOSITION_AFTER.match(gap) is not None
    gap = sentence.folded[role.end : start]
    return role.end <= start and len(gap) <= 12 and _APPOSITION_BEFORE.match(gap) is not None


def _may_name(sentence: Sentence, pronoun: bool) -> bool:
    """Whether it is worth looking for a name: a given name or a title is there, or somebody to whom "she" refers."""
    if sentence.text == sentence.folded:
        return False
    named = "'s" in sentence.folded or not sentence.words.isdisjoint(_NAMING)
    return named or (pronoun and not sentence.words.isdisjoint(_HUMAN_WORDS))


def _only_a_role(sentence: Sentence, here: list[Mentioned]) -> bool:
    """Whether a sentence is nothing but a role, which then belongs to the name before it: "Norman. Ops director." """
    return len(here) == 1 and len(sentence.text) - (here[0].end - here[0].start) <= 2 and is_role(here[0].name)


def _set_off(sentence: Sentence, end: int) -> bool:
    """Whether a role is set off from the name before it, as in "Kienzle, our MD"."""
    return sentence.folded.startswith((", our", ", the", ", my", " (", ", who", " is our", " is the"), end)


def _names(sentence: Sentence) -> list[tuple[int, int, str]]:
    """Runs of capitalised words that may be a person's name, as spans."""
    tokens = [token for token in _CAPITAL.finditer(sentence.text) if token.group()[0].isupper()]
    if not tokens or (len(tokens) == 1 and tokens[0].start() == 0 and _bare(tokens[0].group()) not in GIVEN_NAMES):
        return []
    runs = [[tokens[0]]]
    for last, token in itertools.pairwise(tokens):
        if _continues(sentence, last, token):
            runs[-1].append(token)
        else:
            runs.append([token])
    return [name for run in runs for name in _name_in(sentence, run)]


def _continues(sentence: Sentence, last: re.Match[str], token: re.Match[str]) -> bool:
    gap = sentence.folded[last.end() : token.start()]
    return gap == " " or (
        len(gap) <= 9 and gap.startswith(" ") and all(part in _PARTICLES for part in gap.split()) and bool(gap.split())
    )


def _name_in(sentence: Sentence, run: list[re.Match[str]]) -> list[tuple[int, int, str]]:
    """The name within a run: from an honorific or a given name on, to the last word that may be a surname."""
    words = [_bare(token.group()) for token in run]
    if len(words) == 1 and words[0] in _NOT_NAMES:
        return []
    titled = [index for index, word in enumerate(words) if word in HONORIFICS and word not in ("don", "fr")]
    if titled and titled[-1] + 1 < len(run):
        first, after_title = titled[-1] + 1, True
    else:
        given = next((index for index, word in enumerate(words) if _is_given(word)), None)
        if given and words[given - 1] not in _NOT_NAMES:
            return []  # "North Carolina", "Maasai Mara"
        first, after_title = (given if given is not None else _skip_common(words)), False
    last = first
    while last < min(len(run), first + LONGEST_NAME) and _may_be_name(run[last], words[last]):
        last += 1
        if run[last - 1].group().endswith((".", "'s", "’s")) and len(words[last - 1]) > 1:
            break
    if last == first or words[last - 1] in _ORGANISATION:
        return []
    start = run[titled[0]].start() if after_title else run[first].start()
    end = run[last - 1].start() + len(_unpossessed(run[last - 1].group()))
    if not after_title and last - first == 1 and _preceded_by_article(sentence, start):
        return []
    return [(start, end, sentence.text[start:end])]


def _skip_common(words: list[str]) -> int:
    return next((index for index, word in enumerate(words) if word not in _NOT_NAMES), len(words))


def _may_be_name(token: re.Match[str], word: str) -> bool:
    letters = token.group().rstrip(".")
    return word not in _NOT_NAMES and not (len(letters) > 1 and letters.isupper()) and not is_role(word)


def _is_person(sentence: Sentence, name: str, end: int, pronoun: bool) -> bool:
    """Whether a name without a role is a person's: an honorific, a given name, or what only people do."""
    words = [_bare(word) for word in name.split()]
    if words[0] in HONORIFICS or _is_given(words[0]):
        return True
    return pronoun and _HUMAN_AFTER.match(sentence.folded, end) is not None


def _is_given(word: str) -> bool:
    return word in GIVEN_NAMES or ("-" in word and word.split("-", maxsplit=1)[0] in GIVEN_NAMES)


def _preceded_by_article(sentence: Sentence, start: int) -> bool:
    return sentence.folded.endswith((" the ", " a ", " an ", " your "), 0, start) or sentence.folded[:start] in (
        "the ",
        "a ",
    )


def _bare(word: str) -> str:
    return _unpossessed(word).casefold().rstrip(".")


def _unpossessed(word: str) -> str:
    bare = word.rstrip(".")
    return bare[:-2] if bare.endswith(("'s", "’s")) else bare
