"""`qbs rescore`: a finished run under another merge policy or other guardrails, asking nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.exits import say
from workbench.commands.options import Run
from workbench.commands.output import AsJson, show, show_json
from workbench.services import build_services

if TYPE_CHECKING:
    from evals.rescoring import Policy

EPILOG = """\
\b
Examples:
  qbs rescore latest --merge latest         the newest claim wins
  qbs rescore latest --without back_off     what that guardrail is worth
  qbs rescore latest --guardrails none
  qbs rescore latest --guardrails one_question --guardrails jargon
  qbs compare RUN RESCORED                  what it changed

\b
The merge policies:
  confidence               the surer claim wins, a tie keeps what is there
                           (what the engine does)
  latest                   the newest claim wins, however sure it is
  latest-unless-doubtful   the newest claim wins, unless it is less sure by
                           more than 0.2
  first                    what was heard first stays
  two-mentions             as confidence, once two turns have spoken of it

\b
The guardrails: ungrounded_evidence, addresses_the_machine, back_off,
emotional_depth, one_question, jargon, repeated_question, known_contact,
too_early.

\b
The run stays as it is; what comes of it is a run of its own, named after it.
New labels and new metrics need none of this: `qbs compare` uses them at once.
"""


def register(cli: typer.Typer) -> None:
    cli.command("rescore", epilog=EPILOG)(rescore)


def rescore(
    run: Run,
    merge: Annotated[str, typer.Option(metavar="POLICY", help="How findings are merged; see below.")] = "confidence",
    guardrails: Annotated[
        list[str] | None, typer.Option(metavar="NAME|all|none", help="Those in force; may be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="All but this one; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fold a finished run again, under another merge policy or other guardrails."""
    from evals.rescoring import rescore as fold_again
    from workbench.commands.run_prompts import made_with
    from workbench.commands.runs import indexed_run, run_facts

    policy = _policy(merge, guardrails or [], without or [])
    services = build_services()
    source = services.run(run)
    dataset = services.dataset(source.manifest.spec.dataset)
    folder = fold_again(source, dataset, services.runs_folder, policy)
    row = indexed_run(services, folder.run_id)
    if left_out := len(source.manifest.spec.conversation_ids) - row.conversations:
        say(f"Note: {left_out} conversations changed since {source.run_id} was made, and are left out.")
    if as_json:
        used = made_with(services, [row.run_id])[row.run_id]
        rescored = folder.manifest.spec.model_dump(mode="json")["rescored"]
        show_json(run_facts(row, used) | {"rescored": rescored})
    else:
        show(f"{folder.run_id}: {row.variant}\n  {row.turns:,} turns folded again, nobody asked")
        say(f"Next: qbs compare {source.run_id} {folder.run_id}")


def _policy(merge: str, guardrails: list[str], without: list[str]) -> Policy:
    """Raises UnknownNameError for a policy or guardrail that there is none of."""
    from engine.guardrails import ANALYSIS_RULES
    from evals.merge_policies import MEANINGS
    from evals.rescoring import Policy
    from workbench.text import UnknownNameError

    if guardrails and without:
        raise typer.BadParameter("say either --guardrails or --without")
    if merge not in MEANINGS:
        raise UnknownNameError("merge policy", merge, MEANINGS)
    named = [name for name in (*guardrails, *without) if name not in ("all", "none")]
    for name in named:
        if name not in ANALYSIS_RULES:
            raise UnknownNameError("guardrail", name, ANALYSIS_RULES)
    if len(named) < len(guardrails) + len(without) and (named or without or len(guardrails) > 1):
        raise typer.BadParameter("`all` and `none` stand alone", param_hint="--guardrails")
    if without:
        return Policy(merge, tuple(rule for rule in ANALYSIS_RULES if rule not in without))
    if guardrails in ([], ["all"]):
        return Policy(merge)
    return Policy(merge, tuple(rule for rule in ANALYSIS_RULES if rule in guardrails))
