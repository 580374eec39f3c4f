"""Those who play in a rehearsal beside the release manager: they read what the bot asks of them, and do nothing else."""

import hashlib
import re
from typing import Final

from bot.rehearsal.azure_model import Run
from bot.rehearsal.azure_model import Stage as PipelineStage
from bot.rehearsal.azure_pipeline import REAL_CERTIFICATE
from bot.rehearsal.scene import Scene, asked_lines

PUBLISH: Final = "Publish"
"""The stage of the Windows pipeline that makes things public."""

STORE: Final = "/release done store"

PARTNER_CENTER: Final = "https://partner.microsoft.com"

_ASKED_FOR_HASH: Final = re.compile(r"/release done (?P<name>[a-z-]+) SHA256")


class WindowsExpert:
    """Approves what waits in Azure for them, once the bot has called them for it."""

    def __init__(self, scene: Scene) -> None:
        """Take part in the scene."""
        self._scene = scene
        self._who = scene.stage.windows_expert
        self._decided: set[tuple[int, str]] = set()

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        return self._approve_if_called() or self._submit_if_asked()

    def _approve_if_called(self) -> bool:
        calls = self._scene.calls(self._who)
        for run in self._scene.world.azure.runs:
            for stage in run.stages:
                known = (run.id, stage.plan.name)
                waits = stage.approval is not None and stage.approval.status == "pending"
                if waits and known not in self._decided and any(_names(called, run, stage) for called in calls):
                    self._decided.add(known)
                    self._decide(run, stage)
                    return True
        return False

    def _decide(self, run: Run, stage: PipelineStage) -> None:
        scene, name = self._scene, stage.plan.name
        commit, wanted = run.parameters.get("SourceCommit", ""), scene.cut.commit if scene.cut else ""
        if commit != wanted:
            scene.refused.append(f"{name} of {run.name} was to be approved, but that builds {commit or 'nothing'} and not {wanted}")
            return
        if name == PUBLISH and not any(line.startswith("/release go ") for line in scene.said):
            scene.refused.append(f"{name} of {run.name} was to be approved before anybody had said go")
            return
        why = "it publishes what was said go to" if name == PUBLISH else "it signs with the certificate of the foundation"
        scene.act(
            self._who,
            f"approves {name} of {run.name} on Azure",
            f"{why}, which only people may allow",
            could_bot=False,
            row=f"stage `{name}`",
        )
        scene.world.azure.approve(self._who.login, run.id, name)

    def _submit_if_asked(self) -> bool:
        """Bring the packages to the Microsoft Store, from the run that the call names."""
        scene = self._scene
        for body in scene.calls(self._who):
            if STORE not in asked_lines(body) or STORE in scene.said:
                continue
            scene.said.add(STORE)
            run = next((run for run in scene.world.azure.runs if re.search(rf"buildId={run.id}\b", body)), None)
            if run is None or not _can_be_sold(run, scene.cut.commit if scene.cut else "") or PARTNER_CENTER not in body:
                scene.refused.append(
                    f"{self._who.login} was asked to go to the Store, but not told of a run with packages for it, and where"
                )
                return True
            version, why = scene.stage.version, "access to the Store is theirs, and there is no interface for it"
            scene.act(self._who, f"submits the packages of {run.name} to the Microsoft Store", why, could_bot=False)
            scene.act(self._who, f"renews the screenshots in the Store, which now show {version}", why, could_bot=False)
            scene.say(self._who, STORE, "the release is not over before")
            return True
        return False


class MacosExpert:
    """Builds the installer for macOS on machines of their own, and says its hash."""

    def __init__(self, scene: Scene) -> None:
        """Take part in the scene."""
        self._scene = scene
        self._who = scene.stage.macos_expert

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        for body in self._scene.calls(self._who):
            for line in asked_lines(body):
                match = _ASKED_FOR_HASH.fullmatch(line)
                if match and line not in self._scene.said:
                    self._scene.said.add(line)
                    self._build(body, match["name"])
                    return True
        return False

    def _build(self, asked: str, name: str) -> None:
        scene, version = self._scene, self._scene.stage.version
        if scene.cut is None or scene.cut.commit not in asked or version.tag not in asked:
            scene.refused.append(f"{self._who.login} was asked to build for {name}, but not told tag and commit")
            return
        ((file, content),) = scene.files.macos.items()
        made = f"builds {file} from {version.tag} at {scene.cut.commit[:12]}, signs, notarises and uploads it"
        scene.act(self._who, made, "machines, keys and account for it are theirs", could_bot=False)
        scene.world.python_org.upload(scene.files.path(file), content)
        digest = hashlib.sha256(content).hexdigest()
        scene.say(self._who, f"/release done {name} {digest}", "whoever says go has to know of which bytes")


def _names(called: str, run: Run, stage: PipelineStage) -> bool:
    """Tell whether a comment is about this stage of this run, which an address in it shows."""
    return f"stage `{stage.plan.name}`" in called and re.search(rf"buildId={run.id}\b", called) is not None


def _can_be_sold(run: Run, commit: str) -> bool:
    """Tell whether a run of this commit has made packages for the Store, and signed them with the real certificate."""
    given = run.parameters
    made = given.get("DoMSIX", "").lower() == "true" and given.get("SigningCertificate", REAL_CERTIFICATE) == REAL_CERTIFICATE
    return made and given.get("SourceCommit") == commit and run.result == "succeeded"
