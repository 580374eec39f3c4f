"""The release stages of a run: one for each artifact of its pipeline, each waiting until somebody approves it or rejects it.

That only some of them are approved is how every release goes:
https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.azure.view import GOOD, View
from bot.effects import Nature
from bot.journal import Json
from bot.packages.source import Listed, of_artifact
from bot.profile.package import PackagePipeline, fill
from bot.release.outcomes import Evidence
from bot.release.stages import plain
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.shapes import ApprovalId, ApprovalStatus, Stage, WorkState
from bot.tools import Tools

STEP: Final = "package-release"

_OPEN: Final = frozenset({ApprovalStatus.UNDEFINED, ApprovalStatus.UNINITIATED, ApprovalStatus.PENDING, ApprovalStatus.DEFERRED})


@dataclass(frozen=True, kw_only=True)
class ReleaseStage:
    """A stage that releases one artifact; ``artifact`` is what people see of it where the list of artifacts does not know it."""

    artifact: str
    stage: Stage

    @property
    def ended(self) -> bool:
        """Tell whether it has ended, in whatever way."""
        return self.stage.state is WorkState.COMPLETED

    @property
    def released(self) -> bool:
        """Tell whether its artifact was released."""
        return self.ended and self.stage.result in GOOD

    @property
    def asks(self) -> bool:
        """Tell whether it waits for an approval."""
        return bool(self.stage.approvals) and not self.ended

    @property
    def approvals(self) -> tuple[ApprovalId, ...]:
        """Return the ids of the approvals that it waits for."""
        return tuple(approval.id for approval in self.stage.approvals)


def of(view: View, listed: Listed, pipeline: PackagePipeline) -> tuple[ReleaseStage, ...]:
    """Return the release stages of a run: whatever is none of those that build and test."""
    rest = (stage for stage in view.stages if stage.name not in pipeline.build_stages)
    return tuple(ReleaseStage(artifact=_artifact(stage, listed, pipeline), stage=stage) for stage in rest)


def own(stages: Sequence[ReleaseStage], listed: Listed) -> ReleaseStage | None:
    """Return the stage that releases the package; None where there is none, or more than one, so that nobody can tell which it is."""
    found = [one for one in stages if one.artifact == plain(listed.artifact.name)]
    return found[0] if len(found) == 1 else None


def _artifact(stage: Stage, listed: Listed, pipeline: PackagePipeline) -> str:
    """Return which artifact a stage releases; where its names fit several or none, what people see of it, which no command can mean."""
    fitting = set()
    for artifact in listed.artifacts:
        places = of_artifact(artifact, listed)
        if stage.name == fill(pipeline.release_stage, places) or stage.title == fill(pipeline.release_title, places):
            fitting.add(plain(artifact.name))
    return fitting.pop() if len(fitting) == 1 else f"stage {stage.title or stage.name}"


def evidence(stages: Sequence[ReleaseStage], view: View, *, undecided: str = "") -> tuple[Evidence, ...]:
    """Return how far each artifact is; ``undecided`` is one that waits for a word although it does not wait on Azure.

    Those that wait are named so that commands about them can be judged (``bot.release.stages``).
    """
    return tuple(_shown(one, view.known.url, waits=one.asks or one.artifact == undecided) for one in stages)


def _shown(one: ReleaseStage, url: str, *, waits: bool) -> Evidence:
    state = one.stage.result.value if one.ended and one.stage.result else one.stage.state.value
    value = "waits for an approval" if one.asks else "released" if one.released else state
    return Evidence(what=f"{'stage' if waits else 'artifact'} {one.artifact}", value=value, url=url)


async def mine(stages: Sequence[ReleaseStage], pipeline: PackagePipeline, tools: Tools) -> tuple[ReleaseStage, ...]:
    """Return those of the stages that wait whose approvals the bot itself can all give or refuse now."""
    asking = [one for one in stages if one.asks] if pipeline.approves else []
    permitted = await tools.azure.permitted([each for one in asking for each in one.approvals])
    return tuple(one for one in asking if set(one.approvals) <= permitted)


async def decide(one: ReleaseStage, view: View, tools: Tools, *, approved: bool, comment: str) -> bool:
    """Approve exactly this stage of this run, or reject it, by the ids of its approvals; what others decided before stays.

    Tell whether all of them are decided: one may need others as well, or the bot may not give it after all.
    """
    results = [await _decide(one, approval, view, tools, approved=approved, comment=comment) for approval in one.approvals]
    return all("refused" not in result and result.get("status") not in _OPEN for result in results)


async def _decide(one: ReleaseStage, approval: ApprovalId, view: View, tools: Tools, *, approved: bool, comment: str) -> Mapping[str, Json]:
    async def decided() -> Mapping[str, Json] | None:
        found = next((each for each in await tools.azure.approvals([approval]) if each.id == approval), None)
        if found is not None and found.run not in (None, view.run.id):
            raise AzureRefused(f"The approval {approval} is one of the run {found.run}, and not of {view.run.id}, so nothing is decided")
        return None if found is None or found.status in _OPEN else {"status": found.status.value}

    async def do() -> Mapping[str, Json]:
        if (there := await decided()) is not None:
            return there
        try:
            await tools.azure.decide(approval, comment, approved=approved)
        except AzureRefused as refusal:
            # Somebody may have decided in the same moment, and then that holds.
            if (there := await decided()) is not None:
                return there
            if not refusal.denied:
                raise
            return {"refused": str(refusal)}
        # It may need others as well.
        return await decided() or {"status": ApprovalStatus.PENDING.value}

    verb = "approve" if approved else "reject"
    parameters: Mapping[str, Json] = {"run": view.run.id, "stage": one.stage.name, "artifact": one.artifact, "approval": approval}
    return await tools.door(STEP, f"{verb} {approval}", nature=Nature.FINDABLE, parameters=parameters, find=decided, do=do)
