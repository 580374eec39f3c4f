"""What goes on inside a run: its stages, who must approve them, and what it published."""

import codecs
import json
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.services.answers import MalformedAnswer, parse
from bot.services.azure_devops.connection import TopicBase, every, read
from bot.services.azure_devops.errors import AzureRefused
from bot.services.azure_devops.shapes import Approval, ApprovalId, ApprovalStatus, Artifact, AzureRunId, Stage
from bot.services.azure_devops.timeline import Timeline, stages

_READABLE = "PipelineArtifact"
"""The kind of artifact whose files the organisation itself hands out; of the others it only names other hosts."""

_MOST_FILES = 100
"""How many files of a folder are read; the builds of one package are a few, or some dozens where it is compiled."""

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
    """The stages of a run, the approvals they wait for, and what it published."""

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

    async def permitted(self, ids: Collection[ApprovalId]) -> frozenset[ApprovalId]:
        """Return those of these approvals that the bot itself may give or refuse now.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals/query
        """
        if not ids:
            return frozenset()
        what, wanted = "read what the bot may approve", tuple(sorted(ids))
        answer = await self._ask(what, lambda clients: clients.approvals.named(self._project, wanted, expand="permissions"))
        return frozenset(one.id for one in parse(_APPROVALS, answer, what=what).value if one.id in wanted and one.is_mine)

    async def decide(self, approval: ApprovalId, comment: str, *, approved: bool) -> None:
        """Give one approval, or refuse it; what became of it has to be read back, for it may need others as well.

        Raise AzureRefused, with status 409 where it was decided before, and where the bot is not an approver.
        https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals/update
        """
        status = (ApprovalStatus.APPROVED if approved else ApprovalStatus.REJECTED).value
        what = f"have the approval {approval} {status}"
        await self._ask(what, lambda clients: clients.approvals.decide(self._project, approval, status, comment))

    async def retry_stage(self, run: AzureRunId, stage: str) -> None:
        """Let the failed jobs of a failed or cancelled stage run again; its approval is asked for anew.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/stages/update
        """
        await self._ask(f"retry the stage {stage} of run {run}", lambda clients: clients.builds.retry(self._project, run, stage))

    async def artifacts(self, run: AzureRunId) -> list[Artifact]:
        """Return what a run has published so far: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/list."""
        what = f"list the artifacts of run {run}"
        return every(_ARTIFACT, await self._ask(what, lambda clients: clients.builds.get_artifacts(self._project, run)), what)

    async def artifact_files(
        self, run: AzureRunId, artifact: str, folder: str, *, endings: tuple[str, ...], largest: int
    ) -> dict[str, bytes]:
        """Return the files in a folder of an artifact whose names end so, by their paths within it.

        ``largest`` is how many bytes all of them together may have. Only the organisation's own host is asked, as by ``artifact_text``.
        Raise AzureRefused where there is no such artifact, it lies elsewhere, or holds too many files or bytes.
        """
        what = f"read {folder} in the artifact {artifact} of run {run}"
        start = f"{folder}/"
        listed = await self._listed(what, run, artifact)
        paths = {path: blob for path, blob in listed.items() if path.startswith(start) and path.endswith(endings)}
        if len(paths) > _MOST_FILES:
            raise AzureRefused(f"The folder {folder} in the artifact {artifact} of run {run} holds more than {_MOST_FILES} files")
        files: dict[str, bytes] = {}
        for path, blob in sorted(paths.items()):
            left = largest - sum(map(len, files.values()))
            try:
                files[path.removeprefix(start)] = await self._file(what, run, artifact, blob, path.rpartition("/")[2], limit=left)
            except MalformedAnswer:
                # It would be as long at every further look.
                too_long = f"The folder {folder} in the artifact {artifact} of run {run} holds more than {largest} bytes to be released"
                raise AzureRefused(too_long) from None
        return files

    async def artifact_text(self, run: AzureRunId, artifact: str, file: str) -> str:
        """Return a text file of an artifact; ``file`` is its path within. Only the organisation's own host is asked.

        The addresses for whole artifacts lead to other hosts, so they are not used: the organisation hands out the files of a
        ``PipelineArtifact`` one by one (https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/get-file). Raise
        AzureRefused where there is no such file or it lies elsewhere, and MalformedAnswer for one that is too long or no text in UTF-8, or
        in UTF-16 with its mark, which PowerShell writes where nothing else is said.
        """
        what = f"read {file} in the artifact {artifact} of run {run}"
        blob = (await self._listed(what, run, artifact)).get(file)
        if blob is None:
            raise AzureRefused(f"There is no file {file} in the artifact {artifact} of run {run}")
        return _text(await self._file(what, run, artifact, blob, file), what)

    async def _listed(self, what: str, run: AzureRunId, artifact: str) -> dict[str, str]:
        """Return the keys to the files of an artifact, by their paths."""
        found = read(_ARTIFACT, await self._ask(what, lambda clients: clients.builds.get_artifact(self._project, run, artifact)), what)
        if found.type != _READABLE:
            raise AzureRefused(f"The artifact {artifact} of run {run} is a {found.type}, whose files lie on another host: look at the run")
        listed = parse(_FILES, _decoded(await self._file(what, run, artifact, found.content, _LIST_OF_FILES), what), what=what)
        files = {each.path.lstrip("/"): each.blob.id for each in listed.items}
        if len(files) < len(listed.items):
            raise MalformedAnswer(f"Azure DevOps was asked to {what}, and lists two files of one name")
        return files

    async def _file(self, what: str, run: AzureRunId, artifact: str, file: str, name: str, *, limit: int | None = None) -> bytes:
        most = self._connection.limits.largest_file if limit is None else limit
        return await self._go_on(what, lambda clients: clients.builds.file(self._project, run, artifact, file=file, name=name, limit=most))


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
