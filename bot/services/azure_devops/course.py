"""What goes on inside a run: its stages, who must approve them, and what it published."""

import codecs
import json
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.services.answers import MalformedAnswer, parse
from bot.services.azure_devops.connection import TopicBase, every, read
from bot.services.azure_devops.errors import AzureRefused
from bot.services.azure_devops.shapes import Approval, ApprovalId, Artifact, AzureRunId, Stage
from bot.services.azure_devops.timeline import Timeline, stages

_READABLE = "PipelineArtifact"
"""The kind of artifact whose files the organisation itself hands out; of the others it only names other hosts."""

_LIST_OF_FILES = "manifest"
"""The name under which an artifact's list of files is read."""


@dataclass(frozen=True, kw_only=True)
class _Approvals:
    value: list[Approval]


@dataclass(frozen=True, kw_only=True)
class _Blob:
    id: str


@dataclass(frozen=True, kw_only=True)
class _File:
    path: str
    blob: _Blob


@dataclass(frozen=True, kw_only=True)
class _Files:
    items: list[_File]


_APPROVALS, _FILES = TypeAdapter(_Approvals), TypeAdapter(_Files)
_TIMELINE, _ARTIFACT = TypeAdapter(Timeline), TypeAdapter(Artifact)


class Course(TopicBase):
    """The stages of a run. Approvals are only read: they are what people are for, and the bot must not be an approver."""

    async def timeline(self, run: AzureRunId) -> tuple[Stage, ...]:
        """Return the stages of a run with their jobs and pending approvals, in their order; none while it has not started.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/timeline/get
        """
        what = f"read the timeline of run {run}"
        model = await self._ask(what, lambda clients: clients.builds.get_build_timeline(self._project, run))
        return () if model is None else stages(read(_TIMELINE, model, what))

    async def approvals(self, ids: Collection[ApprovalId]) -> list[Approval]:
        """Return these approvals, with those who can give them.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals/query
        """
        if not ids:
            return []
        what, wanted = "read approvals", tuple(sorted(ids))
        answer = await self._ask(what, lambda clients: clients.approvals.named(self._project, wanted))
        return [approval for approval in parse(_APPROVALS, answer, what=what).value if approval.id in wanted]

    async def retry_stage(self, run: AzureRunId, stage: str) -> None:
        """Let the failed jobs of a failed or cancelled stage run again; its approval is asked for anew.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/stages/update
        """
        await self._ask(f"retry the stage {stage} of run {run}", lambda clients: clients.builds.retry(self._project, run, stage))

    async def artifacts(self, run: AzureRunId) -> list[Artifact]:
        """Return what a run has published so far: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/list."""
        what = f"list the artifacts of run {run}"
        return every(_ARTIFACT, await self._ask(what, lambda clients: clients.builds.get_artifacts(self._project, run)), what)

    async def artifact_text(self, run: AzureRunId, artifact: str, file: str) -> str:
        """Return a text file of an artifact; ``file`` is its path within. Only the organisation's own host is asked.

        The addresses for whole artifacts lead to other hosts, so they are not used: the organisation hands out the files of a
        ``PipelineArtifact`` one by one (https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/get-file). Raise
        AzureRefused where there is no such file or it lies elsewhere, and MalformedAnswer for one that is too long or no text in UTF-8, or
        in UTF-16 with its mark, which PowerShell writes where nothing else is said.
        """
        what = f"read {file} in the artifact {artifact} of run {run}"
        found = read(_ARTIFACT, await self._ask(what, lambda clients: clients.builds.get_artifact(self._project, run, artifact)), what)
        if found.type != _READABLE:
            raise AzureRefused(f"The artifact {artifact} of run {run} is a {found.type}, whose files lie on another host: look at the run")
        listed = parse(_FILES, _decoded(await self._file(what, run, artifact, found.content, _LIST_OF_FILES), what), what=what)
        for each in listed.items:
            if each.path.lstrip("/") == file:
                return _text(await self._file(what, run, artifact, each.blob.id, file), what)
        raise AzureRefused(f"There is no file {file} in the artifact {artifact} of run {run}")

    async def _file(self, what: str, run: AzureRunId, artifact: str, file: str, name: str) -> bytes:
        limit = self._connection.limits.largest_file
        return await self._go_on(what, lambda clients: clients.builds.file(self._project, run, artifact, file=file, name=name, limit=limit))


def _decoded(content: bytes, what: str) -> object:
    try:
        decoded: object = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedAnswer(f"Azure DevOps was asked to {what}, and answered with a list of files that is no JSON") from None
    return decoded


def _text(content: bytes, what: str) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedAnswer(f"Azure DevOps was asked to {what}, and the file is no text in UTF-8 or UTF-16") from None
