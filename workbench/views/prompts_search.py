"""Search, on the Prompts page: let a model propose versions within a budget, and look at what it found."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.errors import ConfigurationError, QBSError
from evals.tuning.optimise import import_gepa
from evals.tuning.search_record import HeldOutRuns, SearchRecord
from evals.tuning.trials import in_words
from workbench.background import JobStatus, background
from workbench.components import empty, prompts_searches
from workbench.components.prompts_searches import Wanted
from workbench.presenters import prompts_searches as searches
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_versions import PROMPTS
from workbench.session import offer
from workbench.text import count
from workbench.views import prompts_place as place
from workbench.views import prompts_reading, reading
from workbench.views.prompts_choice import PromptsChoice
from workbench.views.prompts_place import SEARCHED, PromptsPlace

_ABOUT = (
    "A model is shown turns that the prompt answered, beside what people labelled, and writes a section of the prompt "
    "anew. Every candidate is kept as a version; the winner goes through the same gate as any other."
)


def search(choice: PromptsChoice) -> None:
    """What to search for, and what earlier searches found."""
    st.caption(_ABOUT)
    _begin(choice)
    found = prompts_reading.searches()
    if found:
        _found(found)


def _begin(choice: PromptsChoice) -> None:
    if choice.prompt not in searches.SEARCHABLE:
        st.info("Searched for are the prompts whose answers labels judge: question, qualification and people.")
        return
    try:
        import_gepa()
    except ConfigurationError as error:
        st.info(on_one_line(str(error)), icon=":material/extension:")
        return
    if prompts_reading.models() is None:
        st.info("A search asks a model: set QBS_REASONING_MODEL (and QBS_FAST_MODEL).", icon=":material/cloud_off:")
        return
    key = f"search {choice.prompt} {choice.dataset.name}"
    job = background().job(key)
    running = job is not None and not job.ended
    if job is not None and job.ended:
        (st.error if job.status is JobStatus.FAILED else st.success)(on_one_line(job.outcome))
    metrics = searches.metrics_to_choose(choice.prompt)
    asked = prompts_searches.form(PROMPTS[choice.prompt].name, choice.dataset.name, metrics, begun=running)
    if asked is not None:
        _start(choice, key, asked)


def _start(choice: PromptsChoice, key: str, asked: Wanted) -> None:
    from workbench.searches import SearchRequest, plan_search, searching

    request = SearchRequest(
        choice.prompt,
        choice.dataset.name,
        asked.metrics,
        asked.calls,
        asked.cost_usd,
        prompts=_name_of_set(choice),
        holdout=asked.holdout,
        seed=asked.seed,
        turns=asked.turns,
    )
    if not asked.metrics:
        empty.problem("Choose what is to get better.")
        return
    try:
        plan_search(reading.services(), request)
    except QBSError as error:
        empty.problem(str(error))
        return
    title = f"Searching for a better {choice.prompt} prompt, at most {count(asked.calls, 'call')}"
    background().submit(key, title, searching(reading.services(), request))
    st.rerun()


def _name_of_set(choice: PromptsChoice) -> str:
    """The chosen version with the other prompts of the run."""
    others = [part for part in choice.others.split(",") if "@" in part and not part.startswith(f"{choice.prompt}@")]
    shipped = prompts_reading.workspace().shipped.prompt(choice.prompt).hash
    own = [f"{choice.prompt}@{choice.version.hash}"] if choice.version.hash != shipped else []
    return ",".join([*others, *own]) or "shipped"


def _found(found: tuple[SearchRecord, ...]) -> None:
    by_id = {record.search_id: record for record in found}
    offer(SEARCHED, list(by_id), None)
    prompts_searches.choosing({id_: searches.search_name(own) for id_, own in by_id.items()}, SEARCHED)
    record = by_id[st.session_state[SEARCHED]]
    names = {f"{name}@{digest[:8]}": words for (name, digest), words in prompts_reading.version_names().items()}
    with st.container(border=True, key="searched"):
        prompts_searches.outcome(searches.search_name(record), searches.outcome(record))
        _winner(record)
        about = (
            f"Means over the {count(record.spec.turns, 'turn')} at most that were searched with; no intervals, because "
            "the search chose by these very figures. Whether the winner is better, the held-out conversations tell."
        )
        prompts_searches.front(searches.front_chart(record, names), searches.described(record), about)
        prompts_searches.candidates(searches.candidate_rows(record, names))


def _winner(record: SearchRecord) -> None:
    if record.winner is None:
        st.markdown(":gray[Nothing better was found.]")
        return
    name = prompts_reading.names_by_hash().get(record.winner, record.winner[:8])
    st.markdown(f":material/trophy: The winner is the set **{on_one_line(name)}**.")
    if record.held_out is not None and record.held_out.complete:
        try:
            st.markdown(on_one_line(_held_out(record.spec.metrics, record.held_out)))
        except QBSError as error:
            empty.problem(str(error))
    with st.container(horizontal=True, gap="small"):
        st.button("Read what changed", key="read winner", icon=":material/difference:", on_click=partial(_read, record))
        st.button("Ask the gate", key="weigh winner", icon=":material/verified:", on_click=partial(_weigh, name))


@st.cache_resource(show_spinner="Comparing on the held-out conversations", max_entries=20)
def _held_out(metrics: tuple[str, ...], runs: HeldOutRuns) -> str:
    """What the winner is worth on conversations that the search never saw."""
    from workbench.evaluations import metrics_named
    from workbench.searches import compared

    return f"Held out: {in_words(compared(reading.services(), metrics_named(metrics), runs))}"


def _read(record: SearchRecord) -> None:
    winner = prompts_reading.workspace().set(record.winner or "")
    version = winner.prompts[record.spec.prompt][:8]
    first = next(own for own in record.candidates if own.number == 0)
    place.go(
        PromptsPlace(
            prompt=record.spec.prompt,
            version=version,
            against=first.version.partition("@")[2],
            tab=place.DIFFERENCE,
        )
    )


def _weigh(name: str) -> None:
    place.go(PromptsPlace(candidate=name, tab=place.RELEASE))
