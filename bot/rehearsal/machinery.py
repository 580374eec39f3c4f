"""Let the builders of the rehearsal work by themselves, quickly: GitHub's runners, the Windows pipeline, and the upload at its end.

They never do what people do: a stage that waits for an approval waits.
"""

from collections.abc import Mapping

from bot.rehearsal.azure_model import Run as AzureRun
from bot.rehearsal.azure_pipeline import REAL_CERTIFICATE
from bot.rehearsal.github_actions_model import Run as WorkflowRun
from bot.rehearsal.nuget import in_nuget
from bot.rehearsal.release_files import INDEX, ReleaseFiles, certificate_info, hash_table
from bot.rehearsal.release_workflow import REPOSITORY, SOURCE
from bot.rehearsal.versions import PythonVersion, WrongUse
from bot.rehearsal.workers import TICK, Workers
from bot.rehearsal.world import World

Artifacts = dict[str, dict[str, bytes]]


class Machines(Workers):
    """Every machine that a release keeps busy. ``actions`` and ``azure`` may be set to False at any time, to make a part of them pause.

    Jobs of GitHub Actions whose name is in ``failing`` fail whenever they run; an artifact that a story fills itself
    (``world.azure.fill``) stays as it was filled.
    """

    def __init__(self, world: World, files: ReleaseFiles, *others: ReleaseFiles, tick: float = TICK) -> None:
        """Get ready to build for this world; ``files`` and ``others`` are those of the versions that are released in it."""
        self.actions = True
        self.azure = True
        self.failing: set[str] = set()
        self.published: set[int] = set()
        """The runs of the Windows pipeline whose files are on python.org."""
        super().__init__(world, tick)
        self._known = {known.version.text: known for known in (files, *others)}
        self._filled: Artifacts = {}

    def tick(self) -> None:
        """Let one thing happen to each run that is under way and waits for nobody."""
        if self.actions:
            for run in self._world.github.actions.runs(REPOSITORY):
                if run.status in ("queued", "in_progress"):
                    self._work_on_workflow(run)
        if self.azure:
            for order in self._world.azure.runs:
                if order.status != "completed":
                    self._work_on_pipeline(order)

    def publish(self, run: int) -> None:
        """Put on python.org what the Publish stage of a run of the Windows pipeline puts there; nothing without the real certificate."""
        order = next(known for known in self._world.azure.runs if known.id == run)
        files = self._files_of(order.parameters.get("SourceTag", "").removeprefix("v"))
        if files is None or run in self.published or not _really_signed(order.parameters):
            return
        self.published.add(run)
        if _wanted(order.parameters, "DoNuget"):
            for package in files.nuget:
                self._world.nuget.push(package, in_nuget(files.version))
        site = self._world.python_org
        uploaded = {files.path(name): content for name, content in self._uploaded(files, order.parameters).items()}
        index = files.index(site.content(INDEX)) if _wanted(order.parameters, "DoPyManager") else {}
        for path, content in (uploaded | index).items():
            site.upload(path, content)
            site.purge(path)

    async def go_on(self) -> None:
        """Let one thing happen to each run that is under way and waits for nobody."""
        self.tick()

    # ---- GitHub Actions ----------------------------------------------------------------------------------------------------------------

    def _work_on_workflow(self, run: WorkflowRun) -> None:
        actions = self._world.github.actions
        if run.status == "queued":
            actions.start(run.id)
            return
        job = next((job for job in run.latest().values() if job.status == "in_progress"), None)
        if job is None:
            return
        if job.name in self.failing:
            actions.finish_job(run.id, job.name, "failure")
            return
        there = {artifact.name for artifact in run.artifacts if artifact.attempt == run.attempt}
        for name, files in self._artifacts_of(run, job.name).items():
            if files and name not in there:
                actions.upload(run.id, name, files)
                return
        actions.finish_job(run.id, job.name)

    def _artifacts_of(self, run: WorkflowRun, job: str) -> Artifacts:
        files = self._files_of(run.inputs["cpython_release"])
        if files is None:
            return {}
        architecture = job.removeprefix("build-android (").removesuffix(")")
        made = {
            SOURCE: {"source": files.sources},
            "build-docs": {"docs": files.docs},
            "build-iOS": {"ios": files.ios},
            f"build-android ({architecture})": {f"{architecture}-linux-android": files.android.get(architecture, {})},
        }
        return made.get(job, {})

    # ---- the Windows pipeline ----------------------------------------------------------------------------------------------------------

    def _work_on_pipeline(self, run: AzureRun) -> None:
        files = self._files_of(run.parameters.get("SourceTag", "").removeprefix("v"))
        if files is not None:
            self._fill(_pipeline_artifacts(files, run.parameters))
        self._world.azure.advance(run.id)
        if any((stage.plan.name, stage.result) == ("Publish", "succeeded") for stage in run.stages):
            self.publish(run.id)

    def _fill(self, artifacts: Artifacts) -> None:
        contents = self._world.azure.estate.contents
        for name, files in artifacts.items():
            if contents.get(name) == self._filled.get(name):
                self._world.azure.fill(name, files)
                self._filled[name] = files

    @staticmethod
    def _uploaded(files: ReleaseFiles, given: Mapping[str, str]) -> dict[str, bytes]:
        classic = files.installers | files.embeddable if _wanted(given, "DoMSI") else {}
        kinds = [".spdx.json", *([".asc"] if _wanted(given, "DoGPG", usual=False) else [])]
        beside = {other: content for name in classic for other, content in files.companions(name).items() if other.endswith(tuple(kinds))}
        return classic | beside | (files.packages | files.manifest if _wanted(given, "DoPyManager") else {})

    def _files_of(self, version: str) -> ReleaseFiles | None:
        """Return the files of a version, None for what is none, such as ``main``."""
        if version not in self._known:
            try:
                self._known[version] = ReleaseFiles(PythonVersion.parse(version))
            except WrongUse:
                return None
        return self._known[version]


def _pipeline_artifacts(files: ReleaseFiles, given: Mapping[str, str]) -> Artifacts:
    """Return what the artifacts of a run have in them that a release is interested in."""
    folders = {"": "win32", "-amd64": "amd64", "-arm64": "arm64"}
    names = {f"python-{files.version}{end}.exe": folder for end, folder in folders.items()}
    classic = files.installers | files.embeddable
    return {
        "cert": certificate_info(real=_really_signed(given)),
        "msi": {f"{names[name]}/{name}": content for name, content in files.installers.items()},
        "embed": files.embeddable,
        "sbom": {name: content for file in classic for name, content in files.companions(file).items() if name.endswith(".spdx.json")},
        "hashes": {"hashes.txt": hash_table(classic, "SHA256", "MD5")},
        "pymanager_index": files.manifest,
        "pymanager_hashes": {"hashes.txt": hash_table(files.packages | files.manifest, "SHA256")},
    }


def _really_signed(given: Mapping[str, str]) -> bool:
    return given.get("SigningCertificate", REAL_CERTIFICATE) == REAL_CERTIFICATE


def _wanted(given: Mapping[str, str], parameter: str, *, usual: bool = True) -> bool:
    """Tell whether a truth value is set; ``usual`` where it was not given and the parameters of the pipeline are not at hand."""
    return given.get(parameter, str(usual)).lower() == "true"
