"""Have the sources built by the workflow of the release tools, and take in what it made (invariants I1 and I4).

1. Order a run for the pinned tag, at most once, and find it again where the answer was lost (``bot.workflow.runs``). What GitHub refuses is
   not sent again until somebody says so.
2. Follow it. What its first job shows must be what was ordered: a run that builds anything else is never accepted.
3. Where jobs failed, show why; ``/release retry source`` has them run again. What cannot be run again is ordered anew.
4. When it is done, the files it left must be all there, and the archives those whose hashes the build printed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.effects import Nature
from bot.errors import Refused
from bot.journal import Json
from bot.profile.builders import Workflow
from bot.release.counting import counted
from bot.release.facts import Build, Built, Run, RunSeen, Tag
from bot.release.ids import Repository, RunId
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, Outcome, Passed, Waiting
from bot.services.github.shapes_actions import COMPLETED, Job, WorkflowRun
from bot.tools import Tools
from bot.workflow import files as workflow_files
from bot.workflow import logs as workflow_logs
from bot.workflow import runs as workflow_runs
from bot.workflow.files import Harvest
from bot.workflow.runs import ACTIONS, PURPOSE, STEP, Order

SUCCESS: Final = "success"
HARMLESS: Final = frozenset({SUCCESS, "skipped", "neutral"})
ADVICE: Final = f"Look at the run; `/release retry {STEP}`"
RERUN: Final = "GitHub to run the failed jobs again"


async def advance(release: Release, tools: Tools) -> Outcome:
    """See that the sources of the pinned tag are built, by exactly one run that was ordered for it."""
    tag, workflow = release.tag, tools.profile.workflow
    if tag is None or workflow is None:
        return Failed(why="There is no tag yet, or the profile has no [workflow].", retryable=True, look_again=tools.poll())
    build = release.build(STEP)
    passed = release.step(STEP).status is StepStatus.PASSED
    if build and passed and release.retry != STEP:
        return Passed(why=release.step(STEP).why, evidence=release.step(STEP).evidence)
    look = _Look(release=release, tag=tag, workflow=workflow, tools=tools, asked=release.retry == STEP and not passed)
    try:
        return await look.at_the_run()
    except workflow_runs.NotKnown as unknown:
        return unknown.outcome


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One look at the run; ``asked`` tells that a person wants another try after what they saw."""

    release: Release
    tag: Tag
    workflow: Workflow
    tools: Tools
    asked: bool

    @property
    def repository(self) -> Repository:
        """Return where the workflow is."""
        return Repository(self.workflow.repository)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Return what is to be built."""
        return workflow_runs.inputs_of(self.release, self.workflow, self.tools)

    async def at_the_run(self) -> Outcome:
        """Order the run, or see where it stands."""
        known = self.release.latest_run(STEP, PURPOSE)
        number = await workflow_runs.latest_number(self.release, self.tools)
        if known is None or known.number < number:
            return await self._ordered(max(number, 1))
        run = await self.tools.github.workflow_run(self.repository, RunId(known.id))
        if run is None:
            return await self._gone(known)
        jobs = await self.tools.github.jobs(self.repository, run.id)
        built = await workflow_runs.shown_inputs(self.workflow, run, jobs, self.tools)
        wrong = self._wrong(known, run, built)
        if wrong and built is None and self._just_ended(jobs):
            return self._not_all_there(run)
        if wrong:
            return await self._refused(known, run, wrong)
        if not run.completed:
            return self._under_way(run, jobs)
        if run.conclusion != SUCCESS:
            return await self._failed(known, run, jobs)
        return await self._done(known, run, jobs)

    # --- ordering

    async def _ordered(self, number: int) -> Outcome:
        refused = await workflow_runs.refusal(number, self.tools)
        if refused and not self.asked:
            return self._not_started(refused)
        try:
            run = await self._placed(number + 1 if refused else number)
        except workflow_runs.NotStarted as refusal:
            return self._not_started(refusal.why)
        why = f"A run was ordered that builds {workflow_runs.described(self.inputs)}."
        evidence = (Evidence(what="run", value=run.name, url=run.url),)
        facts = (*self._left_behind(run), RunSeen(run=run))
        return Waiting(on=ACTIONS, why=why, look_again=self.tools.poll(), evidence=evidence, facts=facts)

    async def _placed(self, number: int) -> Run:
        order = Order(workflow=self.workflow, inputs=self.inputs, number=number)
        try:
            return await workflow_runs.place(self.release, order, self.tools)
        except workflow_runs.NotKnown as unknown:
            if not (self.asked and unknown.lost and self.release.step(STEP).status is StepStatus.NEEDS_PERSON):
                raise
            return await workflow_runs.place(self.release, replace(order, number=number + 1), self.tools)

    def _not_started(self, refusal: str) -> Failed:
        why = "GitHub refused the order of the workflow, so no run was started."
        advice = f"Mend the table [workflow] of the profile, the workflow, or what the App may do there; then say `/release retry {STEP}`."
        return self._failure(why, advice, (), (refusal,))

    def _left_behind(self, newest: Run) -> tuple[RunSeen, ...]:
        """Return that nothing more is expected of the earlier runs of this attempt."""
        mine = (run for run in self.release.runs if (run.step, run.attempt) == (STEP, self.release.attempt))
        return tuple(RunSeen(run=replace(run, over=True)) for run in mine if run.number < newest.number and not run.over)

    async def _anew(self, known: Run) -> Outcome:
        """Stop a run that does not serve, and order another."""
        await workflow_runs.stop(known, self.tools)
        return await self._ordered(known.number + 1)

    # --- what can be wrong

    async def _gone(self, known: Run) -> Outcome:
        patience = timedelta(seconds=self.tools.profile.timing.confirm_gap)
        if self.tools.now() - known.at < patience:
            why = f"GitHub does not show the run {known.id} yet, which it has just been told to start."
            return Waiting(on=ACTIONS, why=why, look_again=self.tools.poll())
        if self.asked:
            return await self._anew(known)
        why = f"The run {known.id} is gone from GitHub: somebody deleted it."
        return self._failure(why, f"{ADVICE} orders another.", (Evidence(what="run", value=known.name, url=known.url),))

    def _wrong(self, known: Run, run: WorkflowRun, built: Mapping[str, str] | None) -> str:
        """Return in which way the run is not what was ordered, or nothing; ``built`` is what its log shows, None as long as it may."""
        stranger = workflow_runs.stranger(run, self.workflow)
        if stranger:
            return f"The run {run.id} is not the one that was ordered: {stranger}."
        ordered = dict(known.ordered)
        if ordered != self.inputs:
            return f"The run {run.id} was ordered with {workflow_runs.described(ordered)}, but by now it should be {self._wants()}."
        # A run that failed early may have shown nothing; one that was successful without it is not believed.
        if (not built and run.conclusion != SUCCESS) or not self.workflow.shown_by or built == self.inputs:
            return ""
        return f"The run {run.id} builds {workflow_runs.described(built or {})}, but it was ordered to build {self._wants()}."

    def _wants(self) -> str:
        return workflow_runs.described(self.inputs)

    async def _refused(self, known: Run, run: WorkflowRun, why: str) -> Outcome:
        if self.asked:
            return await self._anew(known)
        advice = f"Nothing of it is used. {ADVICE} stops it and orders another."
        return self._failure(why, advice, (_link(run),))

    async def _failed(self, known: Run, run: WorkflowRun, jobs: Sequence[Job]) -> Outcome:
        failed = _failed_jobs(jobs)
        if self.asked:
            return await self._run_again(known, run)
        if await self._behind(run):
            why = f"The failed jobs of the run {run.id} are to run again, and GitHub does not show that yet."
            return Waiting(on=RERUN, why=why, look_again=self.tools.poll(), evidence=(_link(run),))
        names = ", ".join(job.name for job in failed) or "none of its jobs"
        why = f"The run {run.id} ended as {run.conclusion}; not successful: {names}."
        log = await self.tools.github.job_log(self.repository, failed[0].id) if failed else None
        if log is None and self._just_ended(jobs):
            return self._not_all_there(run)
        said = (f"The end of the log of {failed[0].name}:", *workflow_logs.excerpt(log)) if log else ()
        return self._failure(why, f"{ADVICE} runs the failed jobs again.", (_link(run), *_jobs(failed or jobs)), said)

    async def _run_again(self, known: Run, run: WorkflowRun) -> Outcome:
        """Have the failed jobs run again; where GitHub does not do that any more, order another run."""
        acted = False

        async def begun() -> Mapping[str, Json] | None:
            seen = await self.tools.github.workflow_run(self.repository, run.id)
            return {"attempt": seen.attempt} if seen is not None and seen.attempt > run.attempt else None

        async def again() -> Mapping[str, Json]:
            nonlocal acted
            await self.tools.github.rerun_failed_jobs(self.repository, run.id)
            acted = True
            return {"attempt": run.attempt + 1}

        parameters: Mapping[str, Json] = {"repository": self.repository, "run": run.id, "attempt": run.attempt}
        try:
            await self.tools.door(STEP, _rerun_name(run), nature=Nature.FINDABLE, parameters=parameters, do=again, find=begun)
        except Refused:
            return await self._anew(known) if await begun() is None else self._running_again(run)
        # It was asked for before, and GitHub shows that nothing came of it.
        return self._running_again(run) if acted or await begun() is not None else await self._anew(known)

    async def _behind(self, run: WorkflowRun) -> bool:
        """Tell whether GitHub may only be behind, because this very attempt was to be followed by another."""
        waiting = self.release.step(STEP).status is StepStatus.WAITING and not workflow_runs.waited(self.release, RERUN, self.tools)
        return waiting and await self.tools.door.intended(STEP, _rerun_name(run))

    def _running_again(self, run: WorkflowRun) -> Outcome:
        why = f"The failed jobs of the run {run.id} run again."
        return Waiting(on=RERUN, why=why, look_again=self.tools.poll(), evidence=(_link(run),))

    def _just_ended(self, jobs: Sequence[Job]) -> bool:
        """Tell whether logs and files may still be on their way to where they are kept."""
        patience = timedelta(seconds=self.tools.profile.timing.confirm_gap)
        return any(job.completed and self.tools.now() - job.completed < patience for job in jobs)

    def _not_all_there(self, run: WorkflowRun) -> Outcome:
        why = f"The run {run.id} has just ended, and not all that it left is there yet."
        return Waiting(on=ACTIONS, why=why, look_again=self.tools.poll(), evidence=(_link(run),))

    def _failure(self, why: str, advice: str, evidence: tuple[Evidence, ...], said: tuple[str, ...] = ()) -> Failed:
        return Failed(why=why, diagnostics=(advice, *said), retryable=False, look_again=self.tools.poll(), evidence=evidence)

    # --- the ordinary course

    def _under_way(self, run: WorkflowRun, jobs: Sequence[Job]) -> Outcome:
        failed = _failed_jobs(jobs)
        over = sum(job.status == COMPLETED for job in jobs)
        trouble = f" {', '.join(job.name for job in failed)} did not succeed; the others go on." if failed else ""
        why = f"The run {run.id} is {run.status.replace('_', ' ')}: {over} of {len(jobs)} jobs are over.{trouble}"
        return Waiting(on=ACTIONS, why=why, look_again=self.tools.poll(), evidence=(_link(run), *_jobs(jobs)))

    async def _done(self, known: Run, run: WorkflowRun, jobs: Sequence[Job]) -> Outcome:
        harvest = await workflow_files.harvest(self.release, self.workflow, run, jobs, self.tools)
        if harvest.problems and self.asked:
            return await self._anew(known)
        if harvest.problems and self._just_ended(jobs):
            return self._not_all_there(run)
        if harvest.problems:
            why = f"The run {run.id} was successful, but what it left does not do."
            return self._failure(why, f"{ADVICE} orders another run.", (_link(run), *_jobs(jobs)), harvest.problems)
        build = Build(step=STEP, tag=self.tag.object, commit=self.tag.commit, files=harvest.files, url=run.url, at=self.tools.now())
        compared = "; the archives are those whose hashes it printed" if self.workflow.hashed_by else ""
        return Passed(
            why=f"The run {run.id} built {counted(len(harvest.files), 'file')} from {self.tag.commit}{compared}.",
            evidence=(_link(run), *_jobs(jobs), *self._made(run, harvest)),
            facts=(RunSeen(run=replace(known, over=True, result=SUCCESS)), Built(build=build)),
        )

    def _made(self, run: WorkflowRun, harvest: Harvest) -> tuple[Evidence, ...]:
        head = self.tools.page(self.repository, "blob", run.head, ".github", "workflows", self.workflow.file)
        documentation = (Evidence(what="documentation", value=f"{harvest.documentation} archives"),) if harvest.documentation else ()
        return (
            Evidence(what="inputs", value=self._wants()),
            Evidence(what="workflow", value=run.head, url=head),
            *(Evidence(what=file.name, value=f"sha256:{file.sha256}") for file in harvest.files),
            *documentation,
        )


def _failed_jobs(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that did not succeed, real failures first, and in the order in which they ended."""
    failed = [job for job in jobs if job.status == COMPLETED and job.conclusion not in HARMLESS]
    return sorted(failed, key=lambda job: (job.conclusion == "cancelled", str(job.completed or ""), job.id))


def _rerun_name(run: WorkflowRun) -> str:
    return f"rerun {run.id} attempt {run.attempt}"


def _link(run: WorkflowRun) -> Evidence:
    return Evidence(what="run", value=f"{run.id}, attempt {run.attempt}", url=run.url)


def _jobs(jobs: Sequence[Job]) -> tuple[Evidence, ...]:
    return tuple(Evidence(what=job.name, value=(job.conclusion or job.status).replace("_", " "), url=job.url) for job in jobs)
