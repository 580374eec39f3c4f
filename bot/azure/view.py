"""Look at one run on Azure Pipelines, and say what every step says of one: it works, it is gone, nothing can be done with it."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from bot.azure import words
from bot.azure.parameters import effect
from bot.release.facts import Run, RunSeen
from bot.release.outcomes import Evidence, Failed, Outcome, Waiting
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops import shapes as azure
from bot.services.azure_devops.shapes import AzureRunId, RunResult, RunStatus, Stage, WorkResult, WorkState
from bot.store.model import Fresh
from bot.tools import Tools

ON: Final = "Azure Pipelines"
"""On what a step waits while a run needs nobody."""

GOOD: Final = frozenset({WorkResult.SUCCEEDED, WorkResult.SUCCEEDED_WITH_ISSUES})
"""How a stage ends well."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at a run: what is remembered of it, the run itself, and its stages in their order, none while it has not started.

    ``ref`` is the branch of the pipeline's own repository that was ordered, empty where nobody knows. ``advice`` is what somebody can do
    when nothing can be done with the run, empty where another one can be ordered.
    """

    known: Run
    run: azure.Run
    stages: tuple[Stage, ...]
    ref: str = ""
    advice: str = ""

    @property
    def ended(self) -> bool:
        """Tell whether the run has ended, in whatever way."""
        return self.run.status is RunStatus.COMPLETED

    @property
    def succeeded(self) -> bool:
        """Tell whether the run has ended well, be it with issues."""
        return self.ended and self.run.result in (RunResult.SUCCEEDED, RunResult.PARTIALLY_SUCCEEDED)

    def only(self, *names: str) -> "View":
        """Return the same look with eyes for these stages alone."""
        return replace(self, stages=tuple(one for one in self.stages if one.name in names))

    def without(self, stage: str) -> "View":
        """Return the same look with eyes closed before one stage."""
        return replace(self, stages=tuple(one for one in self.stages if one.name != stage))


async def look(known: Run, tools: Tools) -> View | None:
    """Look at a run that was ordered; None says that it is gone."""
    number = AzureRunId(known.id)
    run = await read(number, tools)
    if run is None:
        return None
    try:
        stages = await tools.azure.timeline(number)
    except AzureRefused:
        # It may have been deleted just now.
        if await read(number, tools) is not None:
            raise
        return None
    # The name may come after the order, and a failed run may be taken up again as long as it is there.
    view = View(known=known, run=run, stages=stages, ref=await _ordered_ref(known, tools))
    result = run.result.value if run.result else ""
    return replace(view, known=replace(known, name=run.name, over=view.succeeded, result=result))


async def _ordered_ref(known: Run, tools: Tools) -> str:
    """Return the branch that a run was ordered with, as it was written down before the order was placed."""
    intent = await tools.door.known(known.step, effect(known.purpose, known.number))
    return "" if isinstance(intent, Fresh) else str(intent.parameters.get("ref", ""))


async def read(number: AzureRunId, tools: Tools) -> azure.Run | None:
    """Return a run, or None for one that is gone."""
    try:
        return await tools.azure.run(number)
    except AzureRefused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def is_ending(run: azure.Run) -> bool:
    """Tell whether a run has ended or is being stopped."""
    return run.status in (RunStatus.CANCELLING, RunStatus.COMPLETED)


def other_parameters(view: View) -> str:
    """Return which parameters of a run are not those that it was ordered with, its branch among them, or an empty string."""
    given = view.run.parameters
    wrong = [(name, given.get(name, ""), value) for name, value in view.known.ordered if not view.run.was_given({name: value})]
    if view.ref and not view.run.is_of(view.ref):
        wrong.append(("the branch of the pipeline", view.run.ref, view.ref))
    return words.listed(f"{name} is {words.quoted(is_)}, not {words.quoted(ordered)}" for name, is_, ordered in wrong) if wrong else ""


def at_work(view: View, tools: Tools) -> Waiting:
    """Return the waiting for a run that needs nobody."""
    busy = [words.quoted(stage.name) for stage in view.stages if stage.state is WorkState.IN_PROGRESS]
    where = f" at the stage {words.listed(busy)}" if busy else ""
    return Waiting(
        on=ON,
        why=f"The run {view.run.name} is at work{where}.",
        look_again=words.later(tools),
        evidence=words.evidence(view.run, view.stages, tools),
        facts=(RunSeen(run=view.known),),
    )


def unsuccessful(step: str, view: View, tools: Tools) -> Outcome:
    """Return what a run lacks whose stages have all ended well: its end, or a good one."""
    if not view.ended:
        return at_work(view, tools)
    result = view.run.result.value if view.run.result else "no result"
    return failed(step, f"The run {view.run.name} has ended with {words.quoted(result)}, although its stages have ended well.", view, tools)


def failed(step: str, why: str, view: View, tools: Tools, *, advice: str = "") -> Failed:
    """Return the failure of a run with which nothing can be done; another one takes its place when somebody says so."""
    advice = advice or view.advice or f"Look at {view.known.url}; `/release retry {step}` orders another run."
    return Failed(
        why=why,
        diagnostics=(advice,),
        retryable=False,
        look_again=words.later(tools),
        evidence=words.evidence(view.run, view.stages, tools),
        facts=(RunSeen(run=view.known),),
    )


def gone(step: str, known: Run, tools: Tools, *, advice: str = "") -> Failed:
    """Return the failure of a run that is no longer there."""
    advice = advice or f"`/release retry {step}` orders another one."
    return Failed(
        why=f"The run {known.name} was deleted on Azure.",
        diagnostics=(advice,),
        retryable=False,
        look_again=words.later(tools),
        evidence=(Evidence(what="run", value=f"{known.name}: deleted", url=known.url),),
        facts=(RunSeen(run=replace(known, over=True)),),
    )


def shut_out(refusal: AzureRefused, tools: Tools) -> Failed:
    """Return the failure of being refused by the service; it heals by itself when the bot is let in again."""
    if refusal.status != HTTPStatus.UNAUTHORIZED:
        return Failed(why=str(refusal), retryable=False, look_again=words.later(tools))
    return Failed(
        why="Azure DevOps does not accept the bot's token any more, so nothing is known of the runs there.",
        diagnostics=("Whoever operates the bot has to renew the token and put it into AZURE_DEVOPS_TOKEN; then I go on by myself.",),
        retryable=False,
        look_again=words.later(tools),
    )
