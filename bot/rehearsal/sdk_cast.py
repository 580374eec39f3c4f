"""Those who play in the release of a package: who releases it, and who may approve what goes to PyPI. They do what the bot asks for."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.rehearsal.azure_model import Run
from bot.rehearsal.azure_model import Stage as PipelineStage
from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.scene import Talk, asked_lines
from bot.rehearsal.sdk_pipeline import PACKAGES
from bot.rehearsal.sdk_stage import OWNER, SdkStage
from bot.rehearsal.stage import Player

_ASKED: Final = re.compile(
    r"/release (?:(?P<approve>approve) (?P<object>[0-9a-f]{40})|ack (?P<digest>[0-9a-f]+)"
    r"|(?P<decide>approve|reject)-stage (?P<artifact>\S+))"
)
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
_TITLE: Final = "Release: "
_OWNERLESS: Final = f"{OWNER} is not among the owners of "
"""What the bot says when somebody has to be invited on PyPI."""


@dataclass(kw_only=True)
class SdkScene(Talk):
    """The release of a package, and the people around it."""

    stage: SdkStage
    approved: str = ""
    """The tag object that was approved."""

    @property
    def people(self) -> frozenset[str]:
        """Return the logins of everybody who takes part."""
        return frozenset(player.login for player in self.stage.people)

    @property
    def runs(self) -> list[Run]:
        """Return the runs of the pipeline."""
        return self.world.azure.runs

    def head(self) -> str:
        """Return the commit that the branch is at; it blocks for a moment."""
        return LocalRepository(self.world.github.repository(self.upstream).git.directory).resolve("refs/heads/main")

    def built(self, run: Run, package: str) -> dict[str, bytes]:
        """Return the files of a package that a run has built."""
        artifact = run.artifacts.get(PACKAGES)
        files = artifact.files if artifact else {}
        return {path.rpartition("/")[2]: content for path, content in files.items() if path.startswith(f"{package}/")}


class SdkLead:
    """Whoever releases the package."""

    def __init__(self, scene: SdkScene) -> None:
        """Take part in the scene."""
        self._scene = scene
        self._who = scene.stage.manager
        self._refused: set[tuple[str, str]] = set()

    def begin(self) -> None:
        """Open the issue, and say the first word."""
        scene, name = self._scene, f"{self._scene.stage.package} {self._scene.stage.version}"
        why = "every release has an issue, where everybody can follow it"
        scene.act(self._who, f"opens an issue “Release {name}” in {scene.upstream}", why, could_bot=True)
        scene.issue = scene.world.github.open_issue(self._who.login, scene.upstream, f"Release {name}")
        scene.say(self._who, f"/release {name}", "somebody has to decide that it is time")

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        for body, asked in self._asked():
            line = asked[0]
            if line in self._scene.said or (body, line) in self._refused:
                continue
            refusal = self._refusal(body, asked)
            if refusal:
                self._refused.add((body, line))
                self._scene.refused.append(f"the bot asks for “{line}”, but {refusal}")
            else:
                self._say(body, line, asked)
            return True
        return False

    def _asked(self) -> Iterator[tuple[str, re.Match[str]]]:
        for body in self._scene.comments():
            yield from ((body, match) for line in asked_lines(body) if (match := _ASKED.fullmatch(line)))

    def _refusal(self, body: str, asked: re.Match[str]) -> str:
        """Say why somebody who looks closely would not paste a line; nothing where they would."""
        scene = self._scene
        if asked["approve"]:
            head = scene.head()
            return "" if head in body else f"it does not say that this is a tag of {head}, where main is"
        if asked["decide"] == "approve":
            if asked["artifact"] != scene.stage.package:
                return "that is not the package that is released"
            wanted = {
                hashlib.sha256(content).hexdigest() for run in scene.runs for content in scene.built(run, scene.stage.package).values()
            }
            shown = set(_DIGEST.findall(body))
            return "" if wanted and wanted <= shown else "it does not show the hashes of what was built"
        if asked["decide"] == "reject":
            return "" if asked["artifact"] != scene.stage.package else "that is the package that is released"
        return ""

    def _say(self, body: str, line: str, asked: re.Match[str]) -> None:
        scene = self._scene
        if asked["approve"]:
            scene.approved = asked["object"]
            scene.say(self._who, line, "version, changelog and commit are those that were prepared")
        elif asked["decide"] == "approve":
            scene.act(self._who, "compares the hashes with the artifact on Azure", "two should have looked", could_bot=False)
            scene.say(self._who, line, "from then on it is public, and its version is spent")
        elif asked["decide"] == "reject":
            scene.say(self._who, line, "another package waits beside this one, and is not to be released")
        else:
            if _OWNERLESS in body:
                scene.act(self._who, f"lets {OWNER} own {scene.stage.package} on PyPI", "only an owner can invite others", could_bot=False)
                scene.world.pypi.add_role(scene.stage.package, OWNER)
            scene.say(self._who, line, "the findings are read, and none of them speaks against the release")


class SdkApprover:
    """Whoever of the group that is asked before anything goes to PyPI is called; they do on Azure what the bot may not do there."""

    def __init__(self, scene: SdkScene) -> None:
        """Take part in the scene."""
        self._scene = scene
        self._decided: set[str] = set()

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        scene = self._scene
        stages = [(run, stage) for run in scene.runs for stage in run.stages]
        for who in (scene.stage.approver, *scene.stage.people):
            for run, stage in stages:
                approval = stage.approval
                waits = approval is not None and approval.status == "pending" and approval.id not in self._decided
                if approval is not None and waits and any(_names(called, run, stage) for called in scene.calls(who)):
                    self._decided.add(approval.id)
                    self._decide(who, run, stage)
                    return True
        return False

    def _decide(self, who: Player, run: Run, stage: PipelineStage) -> None:
        scene, name = self._scene, stage.plan.name
        package = stage.plan.display.removeprefix(_TITLE)
        if package != scene.stage.package:
            scene.act(who, f"rejects {name} of run {run.name} on Azure", f"{package} is not released now", could_bot=True)
            scene.world.azure.reject(who.login, run.id, name, f"only {scene.stage.package} is released")
            return
        if f"/release approve-stage {package}" not in scene.said:
            scene.refused.append(f"{name} of run {run.name} was to be approved before anybody had decided so")
            return
        if run.commit != scene.head():
            scene.refused.append(f"{name} of run {run.name} was to be approved, but that builds {run.commit} and not {scene.head()}")
            return
        scene.act(who, f"approves {name} of run {run.name} on Azure", "it was decided, and the bot is no approver there", could_bot=True)
        scene.world.azure.approve(who.login, run.id, name)


def _names(called: str, run: Run, stage: PipelineStage) -> bool:
    """Tell whether a comment is about this stage of this run, which an address in it shows."""
    package = stage.plan.display.removeprefix(_TITLE)
    named = f"`{stage.plan.name}`" in called or f"`{package}`" in called
    return named and re.search(rf"buildId={run.id}\b", called) is not None
