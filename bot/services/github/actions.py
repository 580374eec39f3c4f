"""Workflows of GitHub Actions: start one, watch its runs, and take what they leave behind."""

import asyncio
import io
import re
import tempfile
from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus

from pydantic import TypeAdapter

from bot.errors import UserError
from bot.release.ids import JobId, Repository, RunId
from bot.services.answers import MalformedAnswer
from bot.services.archive import ArchiveBounds, ArchivedFile, read_archive
from bot.services.github.connection import TopicBase
from bot.services.github.fields import timestamp
from bot.services.github.permissions import Topic
from bot.services.github.shapes_actions import Artifact, Job, WorkflowDispatched, WorkflowRun
from bot.services.github.verdict import GitHubRefused

_DISPATCHED: TypeAdapter[WorkflowDispatched | None] = TypeAdapter(WorkflowDispatched | None)
_RUN = TypeAdapter(WorkflowRun)
_JOB = TypeAdapter(Job)
_ARTIFACT = TypeAdapter(Artifact)
_SHA256 = re.compile("sha256:[0-9a-f]{64}")


class UnusableArtifact(UserError):
    """An artifact cannot be checked, or is larger than any that a release needs."""


class Actions(TopicBase):
    """Workflow runs, their jobs, logs and artifacts. Reading needs ``actions: read``, starting ``actions: write``.

    Logs and artifacts are fetched from the API's own host and from the hosts that the bot was given, without its token.
    """

    async def dispatch_workflow(self, repository: Repository, file: str, ref: str, inputs: Mapping[str, str]) -> WorkflowDispatched | None:
        """Start a workflow by the name of its file, as it is at a branch or tag. Permission: WORKFLOWS.

        The answer names the run; None means that GitHub started one and did not say which (204, the older form of the API). Raise Refused
        (422) for inputs that the workflow does not know, lacks or does not allow, and for an unknown ref; (404) for an unknown file.
        https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
        """
        scope = await self._scope(repository, Topic.WORKFLOWS)
        body = {"ref": ref, "inputs": dict(inputs)}
        return await scope.send(_DISPATCHED, "POST", "/repos/{owner}/{repo}/actions/workflows/{file}/dispatches", body, file=file)

    async def workflow_runs(self, repository: Repository, file: str, *, event: str, actor: str, since: datetime) -> list[WorkflowRun]:
        """Return the runs of a workflow file that an event and a login started since then, newest first. Permission: READING_WORKFLOWS.

        Whole seconds count, so a run of the very second is among them.
        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        path = "/repos/{owner}/{repo}/actions/workflows/{file}/runs{?event,actor,created,per_page}"
        names = {"file": file, "event": event, "actor": actor, "created": f">={timestamp(since)}"}
        runs = await scope.every(_RUN, path, key="workflow_runs", **names)
        earliest = since.replace(microsecond=0)
        return [run for run in runs if run.event == event and run.actor.login.casefold() == actor.casefold() and run.created >= earliest]

    async def workflow_run(self, repository: Repository, run: RunId) -> WorkflowRun | None:
        """Return a run as its latest attempt stands, or None when there is none of that id. Permission: READING_WORKFLOWS.

        https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
        """
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        found = await scope.find(_RUN, "/repos/{owner}/{repo}/actions/runs/{run}", run=run)
        if found is not None and found.id != run:
            raise MalformedAnswer(f"GitHub was asked for the run {run} and answered with {found.id}")
        return found

    async def jobs(self, repository: Repository, run: RunId) -> list[Job]:
        """Return the jobs of a run, each as it was run last. Permission: READING_WORKFLOWS.

        A job that waits for others may not be among them yet.
        https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run
        """
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        path = "/repos/{owner}/{repo}/actions/runs/{run}/jobs{?filter,per_page}"
        jobs = await scope.every(_JOB, path, key="jobs", run=run, filter="latest")
        if any(job.run != run for job in jobs):
            raise MalformedAnswer(f"GitHub was asked for jobs of the run {run} and answered with those of another")
        return jobs

    async def job_log(self, repository: Repository, job: JobId) -> str | None:
        """Return what a job printed, or None when there is no log (yet). Permission: READING_WORKFLOWS.

        Every line begins with its time. Raise Refused (410) for a log that is kept no more, MalformedAnswer for one that is too long, and
        Unavailable when it cannot be downloaded.
        https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
        """
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        address = await scope.locate("/repos/{owner}/{repo}/actions/jobs/{job}/logs", job=job)
        if address is None:
            return None
        log = io.BytesIO()
        largest = self._connection.limits.largest_log
        await self._connection.downloads.fetch(address, log, largest=largest, what=f"The log of the job {job}")
        return log.getvalue().decode("utf-8-sig", errors="replace")

    async def artifacts(self, repository: Repository, run: RunId) -> list[Artifact]:
        """Return what a run left behind, of all its attempts; a name may occur more than once. Permission: READING_WORKFLOWS.

        https://docs.github.com/en/rest/actions/artifacts#list-workflow-run-artifacts
        """
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        path = "/repos/{owner}/{repo}/actions/runs/{run}/artifacts{?per_page}"
        artifacts = await scope.every(_ARTIFACT, path, key="artifacts", run=run)
        if any(artifact.run not in (run, None) for artifact in artifacts):
            raise MalformedAnswer(f"GitHub was asked for artifacts of the run {run} and answered with those of another")
        return artifacts

    async def artifact_files(self, repository: Repository, artifact: Artifact, *, keep: Collection[str] = ()) -> dict[str, ArchivedFile]:
        """Return the files in an artifact by name, with their hashes, and the contents of those in ``keep``. Permission: READING_WORKFLOWS.

        The archive is held against the artifact's digest first. Raise Refused when it is gone (404) or expired (410), UnusableArtifact and
        HostileArchive for one that will never do, MalformedAnswer for one that did not arrive as it was, and Unavailable.
        https://docs.github.com/en/rest/actions/artifacts#download-an-artifact
        """
        what, limits = f"The artifact {artifact.name!r} ({artifact.id})", self._connection.limits
        _require_usable(artifact, limits.largest_artifact, what)
        scope = await self._scope(repository, Topic.READING_WORKFLOWS)
        address = await scope.locate("/repos/{owner}/{repo}/actions/artifacts/{artifact}/zip", artifact=artifact.id)
        if address is None:
            raise GitHubRefused(f"{what} is gone from GitHub: somebody deleted it, so it must be built again", status=HTTPStatus.NOT_FOUND)
        # Not opened in a thread: whoever is stopped while that works would never close it.
        with tempfile.TemporaryFile() as archive:
            digest = await self._connection.downloads.fetch(address, archive, largest=limits.largest_artifact, what=what)
            if f"sha256:{digest}" != artifact.digest:
                raise MalformedAnswer(f"{what} arrived with the SHA-256 {digest}, not with its digest {artifact.digest}")
            bounds = ArchiveBounds(files=limits.most_files, unpacked=limits.largest_unpacked)
            return await asyncio.to_thread(read_archive, archive, bounds, keep=keep, what=what)

    async def rerun_failed_jobs(self, repository: Repository, run: RunId) -> None:
        """Run the failed jobs of a completed run again, and those that need them, as its next attempt. Permission: WORKFLOWS.

        Raise Refused (403) for a run that is under way or has nothing to run again.
        https://docs.github.com/en/rest/actions/workflow-runs#re-run-failed-jobs-from-a-workflow-run
        """
        scope = await self._scope(repository, Topic.WORKFLOWS)
        await scope.act("POST", "/repos/{owner}/{repo}/actions/runs/{run}/rerun-failed-jobs", None, run=run)

    async def cancel_run(self, repository: Repository, run: RunId) -> None:
        """Ask a run to stop; it takes a while until it has. Permission: WORKFLOWS.

        Raise Refused (409) for a run that is over already, and (404) for one that is gone.
        https://docs.github.com/en/rest/actions/workflow-runs#cancel-a-workflow-run
        """
        scope = await self._scope(repository, Topic.WORKFLOWS)
        await scope.act("POST", "/repos/{owner}/{repo}/actions/runs/{run}/cancel", None, run=run)


def _require_usable(artifact: Artifact, largest: int, what: str) -> None:
    """Refuse, before anything is downloaded, an artifact that could not be used."""
    if not _SHA256.fullmatch(artifact.digest):
        raise UnusableArtifact(f"{what} has no SHA-256 digest, so it cannot be checked: it was uploaded by an action that is too old")
    if artifact.size > largest:
        raise UnusableArtifact(
            f"{what} has {artifact.size} bytes, more than the {largest} that any release needs, so it was not downloaded"
        )
