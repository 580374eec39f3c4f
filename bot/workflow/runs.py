"""Order runs of the profile's workflow at most once each, find them again, and know what they build (invariant I4).

GitHub names the run in its answer to an order. Where that answer was lost, or an older GitHub names none, the run is looked for: event,
account and time narrow the list, and what the first job shows of its inputs decides, because a run carries them nowhere else.

What is relied upon: GitHub's list of runs may be behind. A run that an order started is in it at the latest when the list was looked at
for ``timing.confirm_gap`` without showing it; only then is an order without an answer placed again. Were GitHub slower than that, a second
run would build the same, nobody would use it, and nothing of it would become public.

A refusal is the result of an order: it has started nothing and is never placed again; another one may take its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from bot.effects import EffectMismatch, Nature
from bot.errors import Refused, steady
from bot.journal import Document, Json
from bot.profile.builders import Workflow
from bot.release.facts import Run
from bot.release.ids import Repository, RunId
from bot.release.model import Release, StepStatus
from bot.release.outcomes import NeedsPerson, Waiting
from bot.release.quoting import shown
from bot.services.github.shapes_actions import COMPLETED, Job, WorkflowRun
from bot.store.model import Finished, Fresh, Intent
from bot.tools import Tools, logins
from bot.workflow import logs as workflow_logs

STEP: Final = "source"
PURPOSE: Final = "build"
DISPATCH: Final = "dispatch"
EVENT: Final = "workflow_dispatch"

ACTIONS: Final = "GitHub Actions"
LISTING: Final = "GitHub to list the run"

LONGEST: Final = 100
"""Characters of an input that are shown to people, its name among them."""

_REFUSED: Final = "refused"
"""In the place of a run, what GitHub said."""

_NEVER_RAN: Final = frozenset({"cancelled", "skipped"})
"""The conclusions of jobs that may leave no log."""


class NotKnown(Exception):
    """It is not known which run an order started; ``outcome`` says what that waits for, ``lost`` that only another order helps."""

    def __init__(self, outcome: Waiting | NeedsPerson, *, lost: bool = False) -> None:
        """Keep the answer of the step."""
        super().__init__(outcome)
        self.outcome = outcome
        self.lost = lost


class NotStarted(Exception):
    """GitHub refused an order, now or before: for certain no run was started. ``why`` is what it said."""

    def __init__(self, why: str) -> None:
        """Keep what GitHub said."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order: which workflow, with all its inputs, and which order of this attempt it is."""

    workflow: Workflow
    inputs: Mapping[str, str]
    number: int

    @property
    def name(self) -> str:
        """Return the name of its effect."""
        return dispatch_name(self.number)

    @property
    def parameters(self) -> Mapping[str, Json]:
        """Return what its intent is written down with."""
        workflow = self.workflow
        return {"repository": workflow.repository, "file": workflow.file, "ref": workflow.ref, "inputs": dict(self.inputs)}


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What a look at the list found: runs that build what was ordered, and runs that have not shown yet what they build."""

    ours: tuple[WorkflowRun, ...] = ()
    undecided: tuple[WorkflowRun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs are looked for: among those since a moment, without those that are known already."""

    workflow: Workflow
    inputs: Mapping[str, str]
    since: datetime
    known: frozenset[int] = field(default_factory=frozenset)

    @property
    def repository(self) -> Repository:
        """Return the repository of the workflow."""
        return Repository(self.workflow.repository)


def dispatch_name(number: int) -> str:
    """Return the name of the effect that places an order."""
    return f"{DISPATCH} {number}"


def inputs_of(release: Release, workflow: Workflow, tools: Tools) -> dict[str, str]:
    """Return the inputs of the workflow for the pinned tag."""
    return {name: value.format(**tools.placeholders(release)) for name, value in workflow.inputs.items()}


def described(inputs: Mapping[str, str]) -> str:
    """Return inputs as people read them, whoever wrote them."""
    return ", ".join(shown(f"{name}: {value}", longest=LONGEST) for name, value in inputs.items()) or "nothing"


async def latest_number(release: Release, tools: Tools) -> int:
    """Return the number of the latest order that was begun in this attempt, 0 when none was: the ledger knows more than the release."""
    known = release.latest_run(STEP, PURPOSE)
    number = known.number if known else 0
    while await tools.door.intended(STEP, dispatch_name(number + 1)):
        number += 1
    return number


async def refusal(number: int, tools: Tools) -> str:
    """Return with which words GitHub refused an order of this attempt, or nothing."""
    return refused_with(await tools.door.known(STEP, dispatch_name(number)))


def refused_with(intent: Intent) -> str:
    """Return with which words GitHub refused an order, or nothing."""
    return str(intent.result.get(_REFUSED, "")) if isinstance(intent, Finished) else ""


async def place(release: Release, order: Order, tools: Tools) -> Run:
    """Place an order, unless it was placed before, and return its run; raise NotKnown where it cannot be told yet, and NotStarted."""
    if doubtful := release.in_doubt(STEP):
        raise NotKnown(_after(doubtful, tools))
    place = _place(release, order)

    async def find() -> Mapping[str, Json] | None:
        run = await _only(release, place, tools)
        if run is None and not waited(release, LISTING, tools):
            raise NotKnown(_listing(order, tools))
        return _result(run) if run else None

    async def dispatch() -> Mapping[str, Json]:
        workflow = order.workflow
        try:
            made = await tools.github.dispatch_workflow(place.repository, workflow.file, workflow.ref, order.inputs)
        except Refused as refusal:
            return {_REFUSED: steady(str(refusal))}
        return {"run": made.run, "url": made.url} if made else {"run": 0, "url": ""}

    try:
        result = await tools.door(STEP, order.name, nature=Nature.FINDABLE, parameters=order.parameters, do=dispatch, find=find)
    except EffectMismatch:
        raise NotKnown(_changed(release, order, tools), lost=True) from None
    if _REFUSED in result:
        raise NotStarted(result[_REFUSED])
    if not result["run"]:
        result = _result(await _must_be_there(release, order, place, tools))
    number = int(result["run"])
    return Run(
        step=STEP,
        purpose=PURPOSE,
        number=order.number,
        attempt=release.attempt,
        id=number,
        name=f"{order.workflow.file} {number}",
        url=str(result["url"]),
        ordered=tuple(order.inputs.items()),
        at=tools.now(),
    )


async def look_for(place: Place, tools: Tools) -> Sighting:
    """Look for runs that were ordered by this App with exactly these inputs."""
    actor = f"{tools.app.slug}[bot]"
    workflow = place.workflow
    runs = await tools.github.workflow_runs(place.repository, workflow.file, event=EVENT, actor=actor, since=place.since)
    ours, undecided = [], []
    for run in runs:
        if run.id in place.known or stranger(run, workflow):
            continue
        built = await shown_inputs(workflow, run, await tools.github.jobs(place.repository, run.id), tools)
        if built is None:
            undecided.append(run)
        elif built == place.inputs or not workflow.shown_by:
            ours.append(run)
    return Sighting(ours=tuple(ours), undecided=tuple(undecided))


async def shown_inputs(workflow: Workflow, run: WorkflowRun, jobs: Sequence[Job], tools: Tools) -> Mapping[str, str] | None:
    """Return which inputs the log of a run shows, None as long as it may still show them."""
    if not workflow.shown_by:
        return {}
    job = next((job for job in jobs if job.name == workflow.shown_by), None)
    if job is None:
        return {} if run.completed else None
    if job.status != COMPLETED:
        return None
    log = await tools.github.job_log(Repository(workflow.repository), job.id)
    if log is None:
        return {} if job.conclusion in _NEVER_RAN else None
    return workflow_logs.values(log, workflow.inputs)


def stranger(run: WorkflowRun, workflow: Workflow) -> str:
    """Return why a run cannot be one that was ordered, or an empty string: another event, another file, or the code of a fork."""
    if run.event != EVENT:
        return f"it was started by the event {run.event}, not by an order"
    if run.file != f".github/workflows/{workflow.file}":
        return f"it runs {run.file}, not {workflow.file}"
    if run.head_repository is not None and run.repository is not None and run.head_repository != run.repository:
        return f"it runs the code of another repository, not that of {workflow.repository}"
    return ""


async def stop(run: Run, tools: Tools) -> None:
    """Cancel a run through the door of its attempt, which ``tools`` have; one that is over or gone is left alone."""
    repository = await _ordered_in(run, tools)
    seen = await tools.github.workflow_run(repository, RunId(run.id)) if repository else None
    if repository is None or seen is None or seen.completed:
        return

    async def cancel() -> Mapping[str, Json]:
        try:
            await tools.github.cancel_run(repository, RunId(run.id))
        except Refused as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
            # It came to its end between the look and the word.
            return {"was": "over"}
        return {"was": seen.status}

    await tools.door(run.step, f"cancel {run.id}", nature=Nature.REPEATABLE, parameters={"run": run.id}, do=cancel)


async def as_ordered(run: Run, workflow: Workflow, tools: Tools) -> Workflow:
    """Return the workflow as it was when a run was ordered: the profile may have changed since. ``tools`` have the door of its attempt."""
    intent = await tools.door.known(run.step, dispatch_name(run.number))
    if isinstance(intent, Fresh):
        return workflow
    return workflow.model_copy(update={name: str(intent.parameters[name]) for name in ("repository", "file", "ref")})


async def _ordered_in(run: Run, tools: Tools) -> Repository | None:
    intent = await tools.door.known(run.step, dispatch_name(run.number))
    if not isinstance(intent, Fresh):
        return Repository(str(intent.parameters["repository"]))
    return Repository(tools.profile.workflow.repository) if tools.profile.workflow else None


def waited(release: Release, on: str, tools: Tools) -> bool:
    """Tell whether the step has waited for this, and for nothing else, as long as GitHub may be behind."""
    step = release.step(STEP)
    since = step.since if (step.status, step.on) == (StepStatus.WAITING, (on,)) else None
    return since is not None and tools.now() - since >= timedelta(seconds=tools.profile.timing.confirm_gap)


def workflow_page(workflow: Workflow, tools: Tools) -> str:
    """Return the page on which people see all runs of the workflow."""
    return tools.page(Repository(workflow.repository), "actions", "workflows", workflow.file)


def _place(release: Release, order: Order) -> Place:
    since = release.attempt_since or release.opened
    known = frozenset(run.id for run in release.runs if run.step == STEP)
    return Place(workflow=order.workflow, inputs=order.inputs, since=since, known=known)


async def _only(release: Release, place: Place, tools: Tools) -> WorkflowRun | None:
    """Return the one run that fits, None where none does; raise NotKnown where that cannot be told."""
    seen = await look_for(place, tools)
    if seen.undecided:
        why = "The answer to the order was lost, and runs that may be its own have not shown yet what they build."
        raise NotKnown(Waiting(on=ACTIONS, why=why, look_again=tools.poll()))
    # Of several that fit, a person cancels all but one.
    fitting = [run for run in seen.ours if run.conclusion != "cancelled"] if len(seen.ours) > 1 else list(seen.ours)
    if len(fitting) > 1 or (seen.ours and not fitting):
        raise NotKnown(_several(release, seen.ours, tools))
    return fitting[0] if fitting else None


async def _must_be_there(release: Release, order: Order, place: Place, tools: Tools) -> WorkflowRun:
    """Return the run of an order that GitHub has accepted without naming it."""
    run = await _only(release, place, tools)
    if run is not None:
        return run
    if not waited(release, LISTING, tools) and release.step(STEP).status is not StepStatus.NEEDS_PERSON:
        raise NotKnown(_listing(order, tools))
    what = (
        f"GitHub accepted the order of {order.workflow.file} and shows no run of it. Look at {workflow_page(order.workflow, tools)}: "
        f"if there is none for {described(order.inputs)}, let me order it again."
    )
    raise NotKnown(_asked(release, what, tools), lost=True)


def _after(doubtful: Run, tools: Tools) -> Waiting:
    why = f"An answer to an order of attempt {doubtful.attempt} was lost; its run could be taken for this one's, so it is settled first."
    return Waiting(on="an earlier order", why=why, look_again=tools.poll())


def _listing(order: Order, tools: Tools) -> Waiting:
    why = f"{order.workflow.file} was ordered, but the answer did not name the run, so I wait until GitHub lists it."
    return Waiting(on=LISTING, why=why, look_again=tools.after(min(tools.profile.timing.poll, tools.profile.timing.confirm_gap)))


def _several(release: Release, runs: Sequence[WorkflowRun], tools: Tools) -> NeedsPerson:
    urls = ", ".join(sorted(run.url for run in runs))
    what = f"I ordered one build, and these runs look like it: {urls}. Cancel all but one of them, then I go on with the one that is left."
    return NeedsPerson(who=logins(tools.managers(release)), what=what, look_again=tools.poll())


def _changed(release: Release, order: Order, tools: Tools) -> NeedsPerson:
    what = (
        f"The table [workflow] of the profile was changed after {order.workflow.file} had been ordered, and I do not know what became of "
        f"that order. Look at {workflow_page(order.workflow, tools)}, cancel what runs there for {release.version}, and let me order again."
    )
    return _asked(release, what, tools)


def _asked(release: Release, what: str, tools: Tools) -> NeedsPerson:
    return NeedsPerson(who=logins(tools.managers(release)), what=what, say=f"/release retry {STEP}", look_again=tools.poll())


def _result(run: WorkflowRun) -> Document:
    return {"run": run.id, "url": run.url}
