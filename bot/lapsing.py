"""Stop what nobody wants any more: runs of earlier attempts, and every run of a release that is given up.

Each is cancelled through the door of the attempt in which it was ordered, and then nothing more is expected of it. An outside system that
is silent is asked again at the next look, and holds up nothing else. Where one refuses, a person is asked, until the run is over; what
they were told stays as it is while nothing else is known.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.azure import trouble as azure_trouble
from bot.azure import view as azure_view
from bot.azure.view import View
from bot.context import Context
from bot.effects import Door, EffectMismatch
from bot.errors import Unavailable, UserError, steady
from bot.forgotten import Unclear, forgotten, sought
from bot.profile.types import StepName
from bot.release.facts import NOT_SEEN, Run, RunSeen, Unstopped
from bot.release.model import Release
from bot.release.plan import concluded, learn, to_cancel
from bot.release.rows import left_running
from bot.services.azure_devops.shapes import AzureRunId
from bot.store.claim import Claim
from bot.tools import Tools
from bot.workflow import runs as workflow_runs

log: Final = logging.getLogger(__name__)


async def cancel_lapsed(context: Context, claim: Claim, release: Release) -> Release:
    """Cancel every run that nobody wants any more, and return the release with those that are over marked so."""
    for run in await forgotten(context, claim, release):
        release = learn(release, RunSeen(run=run), context.now())
    patience = timedelta(seconds=context.profile.timing.poll)
    for run in to_cancel(release):
        if run.unstopped and context.now() - run.unstopped.at < patience:
            continue
        tools = context.tools(Door(claim, release.id, run.attempt, context.observers))
        release = learn(release, RunSeen(run=await _tried(run, release, tools)), context.now())
    told = [run.unstopped.why for run in to_cancel(release) if run.unstopped]
    # The last of them may have been all that the release was still waiting for.
    return concluded(left_running(release, told, context.now()), context.now())


async def _tried(run: Run, release: Release, tools: Tools) -> Run:
    """Return a run as it is after the attempt to stop it; as it was where nobody knows yet which one it is."""
    try:
        known = run if run.id != NOT_SEEN else await sought(run, release, tools)
        if known is None or known.over:
            return known or run
        run = known
        await (workflow_runs.stop(run, tools) if run.step == StepName.SOURCE else _on_azure(run, tools))
    except Unavailable as silence:
        log.info("the run %s of %s cannot be cancelled now: %s", run.name, release.id, silence)
        return run
    except EffectMismatch as fault:
        # Whatever went wrong here, the freeze has to be lifted all the same.
        log.error("the run %s of %s is not cancelled: %s", run.name, release.id, fault)  # noqa: TRY400 - it tells all there is to know
        return _left(run, _request(run, "I have written down something else about that and cannot go on with it."), tools)
    except Unclear as unclear:
        log.warning("of %s: %s", release.id, unclear)
        many = f"{len(unclear.urls)} runs look like it, so I touch none of them; please cancel them: {', '.join(unclear.urls)}"
        return _left(run, f"Nobody wants any more what attempt {run.attempt} ordered as {run.name}. {many}", tools)
    except UserError as refusal:
        log.warning("the run %s of %s is not cancelled: %s", run.name, release.id, refusal)
        return _left(run, _request(run, steady(str(refusal))), tools)
    return replace(run, over=True)


def _request(run: Run, why: str) -> str:
    where = f", at {run.url}" if run.url else ""
    return f"Nobody wants the run {run.name} any more, but I may not cancel it; please do{where}: {why}"


def _left(run: Run, why: str, tools: Tools) -> Run:
    return replace(run, unstopped=Unstopped(why=why, at=tools.now()))


async def _on_azure(run: Run, tools: Tools) -> None:
    with tools.azure.together():
        seen = await azure_view.read(AzureRunId(run.id), tools)
        if seen is not None:
            await azure_trouble.cancel(run.step, View(known=run, run=seen, stages=()), tools)
