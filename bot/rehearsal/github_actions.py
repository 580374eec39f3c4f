"""GitHub Actions in a box: who starts runs, and how a story drives their jobs. No job does anything by itself."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.git_objects import read_commit
from bot.rehearsal.github_actions_model import Artifact, Job, PlannedJob, Run, Workflow
from bot.rehearsal.github_events import Events
from bot.rehearsal.github_model import JsonObject, Model, Repository, User
from bot.rehearsal.github_problems import NotFound, Problem
from bot.rehearsal.moments import now

FAILED = frozenset({"failure", "cancelled", "timed_out"})
"""The conclusions of jobs that can be run again."""

CONCLUSIONS = FAILED | {"success"}


class CannotHappen(Exception):
    """The story asks for what cannot happen at this moment."""


class Actions:
    """Workflows and their runs. Runs, jobs and logins that do not exist raise KeyError: they are mistakes of the story."""

    def __init__(self, model: Model, chronicle: Chronicle, events: Events) -> None:
        """Begin without workflows."""
        self._model = model
        self._chronicle = chronicle
        self._events = events
        self._workflows: dict[tuple[str, str], tuple[int, Workflow]] = {}
        self._runs: dict[int, Run] = {}

    # Setting up

    def add_workflow(self, repository: str, workflow: Workflow) -> None:
        """Tell what a workflow file does; the file itself must be in the repository, or GitHub does not know the workflow."""
        self._workflows[self._model.repositories[repository].name, workflow.file] = (self._model.new_id(), workflow)

    # What happens

    async def dispatch(self, login: str, repository: str, file: str, ref: str, inputs: Mapping[str, object]) -> int:
        """Start a workflow by hand, as a person does, and return the run's id; raise Problem where GitHub refuses it."""
        actor = self._model.user(login)
        if actor is None:
            raise KeyError(login)
        return (await self.start_by_hand(actor, self._model.repositories[repository], file, ref, inputs)).id

    async def start_by_hand(self, actor: User, repository: Repository, file: str, ref: str, inputs: Mapping[str, object]) -> Run:
        """Start a workflow, named by its file or its id, as it is at a branch or tag.

        https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
        """
        workflow = await self._known(repository, file)
        refs = await repository.git.refs()
        found = next((name for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}") if name in refs), None)
        if found is None:
            raise Problem(422, f"No ref found for: {ref}")
        if await repository.git.resolve(f"{found}^{{commit}}:{workflow.path}") is None:
            raise Problem(422, "Workflow does not have 'workflow_dispatch' trigger")
        given = self._given(workflow, inputs)
        return await self._begin(actor, workflow, (repository, repository, found), "workflow_dispatch", given)

    async def self_test(
        self, login: str, repository: str, file: str, *, event: str = "push", branch: str | None = None, fork: str | None = None
    ) -> int:
        """Let a push, or a pull request from a fork, start the workflow, which then tests itself; return the run's id."""
        actor = self._model.user(login)
        if actor is None:
            raise KeyError(login)
        home = self._model.repositories[repository]
        source = home if fork is None else self._model.repositories[fork]
        _, workflow = self._workflows[home.name, file]
        ref = f"refs/heads/{branch or home.default_branch}"
        return (await self._begin(actor, workflow, (home, source, ref), event, workflow.defaults)).id

    def start(self, run_id: int) -> None:
        """Let runners take up the jobs of a queued run."""
        run = self._runs[run_id]
        if run.status != "queued":
            raise CannotHappen(f"the run {run_id} is {run.status}")
        run.status, run.started = "in_progress", now()
        self._tell_run("in_progress", run)
        self._take_up(run)

    def finish_job(self, run_id: int, name: str, conclusion: str = "success", *, log: str | None = None) -> None:
        """End a job that is under way, with what it printed; those that waited for it come next, and after the last the run is over.

        Without a ``log`` it prints what its workflow lets it print.
        """
        run = self._runs[run_id]
        job = run.latest()[name]
        if job.status != "in_progress" or conclusion not in CONCLUSIONS:
            raise CannotHappen(f"the job {name} of the run {run_id} is {job.status}, so it cannot end with {conclusion}")
        job.log = "\n".join(run.workflow.printed(run, name)) if log is None else log
        self._end(run, job, conclusion)
        self._open_ready(run)
        self._take_up(run)
        self._close_if_over(run)

    def upload(self, run_id: int, name: str, content: Mapping[str, bytes] | bytes) -> int:
        """Upload an artifact, files by name or a whole archive as it is, and return its id; a name is used once in each attempt."""
        run = self._runs[run_id]
        if run.status != "in_progress" or any((known.name, known.attempt) == (name, run.attempt) for known in run.artifacts):
            raise CannotHappen(f"the run {run_id} is {run.status} and cannot upload {name}")
        files = {} if isinstance(content, bytes) else content
        archive = content if isinstance(content, bytes) else _packed(files)
        digest = f"sha256:{hashlib.sha256(archive).hexdigest()}"
        artifact = Artifact(id=self._model.new_id(), name=name, archive=archive, digest=digest, files=files, attempt=run.attempt)
        run.artifacts.append(artifact)
        self._log(run, f"artifact {name} uploaded")
        return artifact.id

    def expire(self, run_id: int) -> None:
        """Let the time pass for which logs and artifacts of a run are kept."""
        run = self._runs[run_id]
        run.expired = True
        for artifact in run.artifacts:
            artifact.expired = True

    def delete(self, run_id: int) -> None:
        """Let somebody delete a run, and all that it left."""
        self._log(self._runs.pop(run_id), "deleted")

    def run_failed_again(self, actor: User, run: Run) -> None:
        """Queue the failed jobs of a run as its next attempt, with those that need them.

        https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
        """
        if run.status != "completed":
            raise Problem(403, "This workflow is already running")
        again = _with_dependents(run.plan, {name for name, job in run.latest().items() if job.conclusion in FAILED})
        if not again:
            raise Problem(403, "This workflow run cannot be retried")
        run.attempt, run.triggering_actor = run.attempt + 1, actor
        run.status, run.conclusion, run.waiting, run.started = "queued", None, again, now()
        self._log(run, f"attempt {run.attempt} requested by {actor.login}")
        self._tell_run("requested", run)
        self._open_ready(run)

    def cancel(self, actor: User, run: Run) -> None:
        """End every job of a run that is not over, and the run with them.

        https://docs.github.com/en/rest/actions/workflow-runs#cancel-a-workflow-run
        """
        if run.status == "completed":
            raise Problem(409, "Cannot cancel a workflow run that is completed.")
        self._log(run, f"cancelled by {actor.login}")
        for job in [job for job in run.jobs if job.status != "completed"]:
            job.log = job.log or (None if job.status == "queued" else "##[error]The operation was canceled.")
            self._end(run, job, "cancelled")
        self._open_ready(run)
        self._close_if_over(run)

    # What can be seen

    def runs(self, repository: str) -> list[Run]:
        """Return the runs of a repository, newest first."""
        return [run for run in reversed(self._runs.values()) if run.repository.name == repository]

    def run(self, run_id: int) -> Run:
        """Return a run."""
        return self._runs[run_id]

    def job(self, job_id: int) -> tuple[Run, Job] | None:
        """Find a job, of any attempt, and its run."""
        return next(((run, job) for run in self._runs.values() for job in run.jobs if job.id == job_id), None)

    def artifact(self, artifact_id: int) -> tuple[Run, Artifact] | None:
        """Find an artifact and its run."""
        return next(((run, found) for run in self._runs.values() for found in run.artifacts if found.id == artifact_id), None)

    async def _known(self, repository: Repository, file: str) -> Workflow:
        """Return a workflow whose file is on the default branch; others GitHub does not know."""
        mine = [(number, workflow) for (home, _), (number, workflow) in self._workflows.items() if home == repository.name]
        workflow = next((workflow for number, workflow in mine if file in (workflow.file, str(number))), None)
        if workflow is None or await repository.git.resolve(f"refs/heads/{repository.default_branch}:{workflow.path}") is None:
            raise NotFound
        return workflow

    def _given(self, workflow: Workflow, inputs: Mapping[str, object]) -> dict[str, str]:
        """Check the inputs of a dispatch, and fill in what was left out."""
        unknown = [name for name in inputs if name not in workflow.defaults]
        if unknown:
            raise Problem(422, f"Unexpected inputs provided: {json.dumps(unknown)}")
        for known in workflow.inputs:
            value = inputs.get(known.name, "")
            if known.required and not value:
                raise Problem(422, f"Required input '{known.name}' not provided")
            if not isinstance(value, str):
                raise Problem(422, f"Invalid value for input '{known.name}'")
            if known.options and known.name in inputs and value not in known.options:
                raise Problem(422, f"Provided value '{value}' for input '{known.name}' not in the list of allowed values")
            if not value:
                self._chronicle.violation(f"{workflow.file} was started without {known.name}, so it silently builds {known.default}")
        return {**workflow.defaults, **{name: str(value) for name, value in inputs.items() if value}}

    async def _begin(
        self, actor: User, workflow: Workflow, where: tuple[Repository, Repository, str], event: str, inputs: Mapping[str, str]
    ) -> Run:
        """Queue a run; ``where`` is the repository, the one whose code runs, and the ref there."""
        repository, source, ref = where
        plan = workflow.plan(inputs, event)
        run = Run(
            id=self._model.new_id(),
            number=sum(known.workflow is workflow for known in self.runs(repository.name)) + 1,
            repository=repository,
            head_repository=source,
            workflow=workflow,
            workflow_id=self._workflows[repository.name, workflow.file][0],
            event=event,
            actor=actor,
            triggering_actor=actor,
            branch=ref.split("/", 2)[2],
            head_commit=await _described(source, ref),
            inputs=dict(inputs),
            plan=plan,
            waiting={job.name for job in plan},
        )
        self._runs[run.id] = run
        self._log(run, f"{workflow.file} started with {event} by {actor.login} at {run.branch}: {json.dumps(run.inputs)}")
        self._tell_run("requested", run)
        self._open_ready(run)
        return run

    def _open_ready(self, run: Run) -> None:
        """Queue the jobs whose turn has come; skip those that are not wanted or whose needs did not succeed, and look again."""
        ready = [job for job in run.plan if job.name in run.waiting and not run.waiting & set(job.needs) and _all_over(run, job)]
        for planned in ready:
            run.waiting.discard(planned.name)
            job = Job(id=self._model.new_id(), planned=planned, attempt=run.attempt)
            needed = {run.latest()[need].conclusion for need in planned.needs}
            run.jobs.append(job)
            if planned.wanted and needed <= {"success"}:
                self._events.workflow_job("queued", run, job)
            else:
                self._end(run, job, "skipped")
        if any(run.latest()[job.name].conclusion == "skipped" for job in ready):
            self._open_ready(run)

    def _take_up(self, run: Run) -> None:
        """Let runners take up what is queued."""
        for job in run.jobs:
            if job.status == "queued":
                job.status, job.started = "in_progress", now()
                self._events.workflow_job("in_progress", run, job)

    def _end(self, run: Run, job: Job, conclusion: str) -> None:
        job.status, job.conclusion, job.completed = "completed", conclusion, now()
        self._log(run, f"job {job.name} {conclusion}")
        self._events.workflow_job("completed", run, job)

    def _close_if_over(self, run: Run) -> None:
        latest = run.latest()
        if run.waiting or any(job.status != "completed" for job in latest.values()):
            return
        ends = {job.conclusion for job in latest.values()}
        run.status = "completed"
        run.conclusion = "failure" if ends & {"failure", "timed_out"} else "cancelled" if "cancelled" in ends else "success"
        self._log(run, run.conclusion)
        self._tell_run("completed", run)

    def _tell_run(self, action: str, run: Run) -> None:
        run.updated = now()
        self._events.workflow_run(action, run)

    def _log(self, run: Run, sentence: str) -> None:
        self._chronicle.happened(f"github: {run.repository.name} run {run.id} {sentence}")


async def _described(repository: Repository, ref: str) -> JsonObject:
    """Return the commit of a ref as runs carry it; raise KeyError for a ref that is not there."""
    commit = await repository.git.resolve(f"{ref}^{{commit}}")
    if commit is None:
        raise KeyError(ref)
    text = read_commit(await repository.git.content("commit", commit))
    return {
        "id": commit,
        "tree_id": text.tree,
        "message": text.message,
        "timestamp": text.committer.at.isoformat(),
        "author": {"name": text.author.name, "email": text.author.email},
        "committer": {"name": text.committer.name, "email": text.committer.email},
    }


def _all_over(run: Run, job: PlannedJob) -> bool:
    latest = run.latest()
    return all(latest[need].status == "completed" for need in job.needs)


def _with_dependents(plan: tuple[PlannedJob, ...], names: set[str]) -> set[str]:
    """Return the named jobs and all that need them; in a plan every job stands behind what it needs."""
    found = set(names)
    for job in plan:
        if found & set(job.needs):
            found.add(job.name)
    return found


def _packed(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()
