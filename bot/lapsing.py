"""Stop what nobody wants any more: runs of earlier attempts, and every run of a release that is given up.

Each is cancelled through the door of the attempt in which it was ordered, and then nothing more is expected of it. An outside system that
is silent is asked again at the next look, and holds up nothing else. Where one refuses, a person is asked, until the run is over.
"""

import logging
from dataclasses import replace
from typing import Final

from bot import azure_trouble, azure_view, workflow_runs
from bot.azure_view import View
from bot.context import Context
from bot.effects import Door
from bot.errors import Unavailable, UserError, steady
from bot.forgotten import forgotten, sought
from bot.profile_types import StepName
from bot.release.facts import NOT_SEEN, Run, RunSeen
from bot.release.ids import Repository
from bot.release.model import Release
from bot.release.plan import learn, left_running, to_cancel
from bot.services.azure_devops.shapes import AzureRunId
from bot.store.claim import Claim
from bot.tools import Tools

log: Final = logging.getLogger(__name__)


async def cancel_lapsed(context: Context, claim: Claim, release: Release) -> Release:
    """Cancel every run that nobody wants any more, and return the release with those that are over marked so."""
    for run in await forgotten(context, claim, release):
        release = learn(release, RunSeen(run=run), context.now())
    refused = []
    for run in to_cancel(release):
        tools = context.tools(Door(claim, release.id, run.attempt, context.observers))
        try:
            after = await _stopped(run, release, tools)
        except Unavailable as silence:
            log.info("the run %s of %s cannot be cancelled now: %s", run.name, release.id, silence)
            continue
        except UserError as refusal:
            log.warning("the run %s of %s is not cancelled: %s", run.name, release.id, refusal)
            where = f", at {run.url}" if run.url else ""
            refused.append(f"Nobody wants the run {run.name} any more, but I may not cancel it; please do{where}: {steady(str(refusal))}")
            continue
        release = learn(release, RunSeen(run=after), context.now())
    return left_running(release, refused, context.now())


async def _stopped(run: Run, release: Release, tools: Tools) -> Run:
    """Return the run as it is once it was cancelled, or as it was when nobody knows yet which one it is."""
    known = run if run.id != NOT_SEEN else await sought(run, release, tools)
    if known is None or known.over:
        return known or run
    await (_on_github(known, tools) if known.step == StepName.SOURCE else _on_azure(known, tools))
    return replace(known, over=True)


async def _on_github(run: Run, tools: Tools) -> None:
    workflow = tools.profile.workflow
    if workflow is not None:
        await workflow_runs.stop(run, Repository(workflow.repository), tools)


async def _on_azure(run: Run, tools: Tools) -> None:
    with tools.azure.together():
        seen = await azure_view.read(AzureRunId(run.id), tools)
        if seen is not None:
            await azure_trouble.cancel(run.step, View(known=run, run=seen, stages=()), tools)
