"""Which variables each prompt may use, and what each means: what an editor offers, and a check compares with."""

from __future__ import annotations

from collections.abc import Mapping

_HEADER = {
    "account": "the customer's company",
    "industry": "what the company does; may be empty",
    "offering": "what the seller sells; may be empty",
    "contact": "name and title of the person the seller talks to",
    "known_contacts": "whom the seller knew there before; may be empty",
}
_CONVERSATION = {
    "transcript": "the conversation up to and including the latest message, one line per turn",
    "latest_turn": "number of the latest message",
}
_SITUATION = {
    "persona": "ic, manager or c_suite",
    "channel": "email, chat or call; may be empty",
    "stage": "the deal stage",
    "interaction_count": "how many messages of this customer came before the latest",
    "interaction": "how many messages of this customer there are by now, the latest included",
    "known": "what is known, one line per dimension with value and confidence; may be empty",
    "gaps": "the dimensions still missing, separated by commas; may be empty",
    "pain_depth": "how deep the customer had gone before this message",
    "pain_topics": "the problems talked about, one line each with depth and a quote; may be empty",
    "backing_off": "true while the engine has been told to stop probing",
    "revisit_later": "topics that were left alone and may be offered again; may be empty",
}
_DRAFT = {
    **_HEADER,
    **_CONVERSATION,
    "seller": "name of the seller; may be empty",
    "system_prompt": "how the seller writes, with the guidance for this message",
    "context_summary": "what is known about the deal and the people in it",
}

OFFERED: Mapping[str, Mapping[str, str]] = {
    "extraction": {**_HEADER, **_CONVERSATION},
    "question": {**_HEADER, **_SITUATION, **_CONVERSATION},
    "expansion": {**_HEADER, **_CONVERSATION},
    "email": _DRAFT,
    "chat": _DRAFT,
    "system": {"qbs_guidance": "what one recommendation means for the reply; may be empty"},
    "guidance": {
        "question_type": "pain_funnel, impact, solution or confirmation",
        "target": "the dimension that the answer would tell most about",
        "delivery": "mirror, label, calibrated_question or accusation_audit",
        "topic": "the problem that it is about; may be empty",
        "suggested_question": "the question, word for word",
        "engagement": "where the customer's energy is",
        "should_probe_deeper": "true if the message invites one step more",
        "backing_off": "true while the engine has been told to stop probing",
    },
    "context": {
        **_HEADER,
        **_SITUATION,
        "insights": "the newest key insights, one per line; may be empty",
        "open_contacts": "people brought up and not yet met, one per line; may be empty",
    },
}
