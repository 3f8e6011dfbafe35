"""What a problem is about, in a few of the customer's own words, so that probes can be counted on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.model.qbs import PainFunnelState
from engine.rules.depth import Problem
from engine.rules.sentence import STEM_LETTERS, Sentence, word_set

MOST_WORDS = 3
BARE_VERB = 25  # characters further away that a real noun may be

_HAPPENINGS = word_set("""
    fall falls fell lose loses lost break breaks broke stuck miss left quit handed hand slow short broken overdue
    late wrong
""")
_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_EMPTY = word_set("""
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august
    september october november december zero four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
    thousand million stood a about above actually after again all almost already also always am an and another any
    anybody anyone anything anyway are aren't around as ask asked at away back bad be because been before being
    below better between both but by call called came can can't cannot come comes could couldn't day days did
    didn't do does doesn't doing don't done down during each either else enough even ever every everybody everyone
    everything except far few first for from fully gave get gets getting give gives given go goes going gone good
    got great had half has hasn't have haven't having he he'd he'll he's her here hers him his honestly how
    however i i'd i'll i'm i've if in instead into is isn't it it'd it'll it's its itself just keep keeps kind
    knew know knows last least less let let's like likes little long look looks lot lots made mainly make makes
    making many may maybe me mean means meant might mind mine month months more most mostly much must my myself
    near need needs never new next nice no nobody none nor not nothing now of off often oh ok okay old on once one
    ones only or other others our ours out over own part people per perhaps please put puts quite rather really
    right roughly said same saw say says see seen sees send sent she she'd she'll she's should since so some
    somebody someone something sometimes somewhere soon sort still stuff such sure take takes taken tell than
    thank thanks that that's the their them then there there's these they they'd they'll they're they've thing
    things think this those though thought three through time times to today together told tomorrow too took top
    toward tried try trying two under until up upon us use used using usually very want wanted wants was wasn't
    way we we'd we'll we're we've week weeks well went were weren't what what's when where which while who who's
    whole whom whose why will with within without won't would wouldn't wrote year years yes yesterday yet you
    you'd you'll you're you've your yours reading version problem problems issue issues pain painful real bigger
    big small short wrong happen happens happened yeah um uh er hm anymore dear hi hello regards sorry
""")


def topic_of(found: Sequence[Problem], pain: PainFunnelState, sentences: Sequence[Sentence]) -> str | None:
    """The topic of the message: one known before if its words come up again, else a new one from the clearest problem.

    Without a problem in the message it is the active topic, where the message speaks of it, and else None.
    """
    if not found:
        active = pain.active_topic
        return active if active and any(_speaks_of(active, sentence) for sentence in sentences) else None
    clearest = max(found, key=lambda problem: problem.confidence)
    near = (clearest.sentence, *(problem.sentence for problem in found))
    known = [topic.name for topic in reversed(pain.topics)]
    again = (name for sentence in near for name in known if _speaks_of(name, sentence))
    return next(again, None) or _named(clearest)


def _speaks_of(name: str, sentence: Sentence) -> bool:
    """Whether a sentence holds most words of a topic, whatever their endings."""
    stems = [word[:STEM_LETTERS] for word in name.split()]
    return sum(stem in sentence.keys for stem in stems) * 2 > len(stems)


def _named(problem: Problem) -> str | None:
    """The run of telling words nearest to where the problem is named, at most `MOST_WORDS` of them."""
    runs: list[list[re.Match[str]]] = []
    for token in _TOKEN.finditer(problem.sentence.folded):
        if token.group() in _EMPTY or len(token.group()) < 3:
            continue
        if runs and problem.sentence.folded[runs[-1][-1].end() : token.start()] == " ":
            runs[-1].append(token)
        else:
            runs.append([token])
    if not runs:
        return None
    nearest = min(runs, key=lambda run: (_distance(run, problem.start) + BARE_VERB * _is_bare_verb(run), -len(run)))
    chosen = nearest if len(nearest) <= MOST_WORDS else _around(nearest, problem.start)
    return problem.sentence.folded[chosen[0].start() : chosen[-1].end()]


def _is_bare_verb(run: Sequence[re.Match[str]]) -> bool:
    """Whether a run is a single word that says what happened rather than to what: "destroyed", "waiting"."""
    return len(run) == 1 and (run[0].group().endswith(("ed", "ing")) or run[0].group() in _HAPPENINGS)


def _distance(run: Sequence[re.Match[str]], at: int) -> int:
    if run[0].start() <= at < run[-1].end():
        return 0
    return min(abs(run[0].start() - at), abs(run[-1].end() - at))


def _around(run: list[re.Match[str]], at: int) -> list[re.Match[str]]:
    middle = min(range(len(run)), key=lambda index: abs(run[index].start() - at))
    first = max(0, min(middle - 1, len(run) - MOST_WORDS))
    return run[first : first + MOST_WORDS]
