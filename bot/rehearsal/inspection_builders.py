"""Look at the builders and at python.org after a rehearsal: everything was made and shown, once."""

from collections import Counter
from collections.abc import Iterator

from bot.rehearsal.azure_model import Run
from bot.rehearsal.publisher import release_name
from bot.rehearsal.release_workflow import REPOSITORY
from bot.rehearsal.scene import Scene


def of_the_builders(scene: Scene) -> list[str]:
    """Give a sentence for everything that was built too often, wrongly or not at all, and for what is not shown."""
    if scene.stage.version.ends:
        built = [*scene.world.github.actions.runs(REPOSITORY), *scene.world.azure.runs, *scene.world.python_org.tables.releases.values()]
        return ["something was built or published for the end of a series"] if built and not scene.beside else []
    return [*_of_the_workflow(scene), *_of_the_pipeline(scene), *_of_the_leases(scene), *_of_python_org(scene)]


def _of_the_workflow(scene: Scene) -> Iterator[str]:
    others = {one.text for one in scene.beside}
    runs = [run for run in scene.world.github.actions.runs(REPOSITORY) if run.inputs["cpython_release"] not in others]
    if len(runs) != 1:
        yield f"the workflow that builds the sources was started {len(runs)} times, not once"
    for run in runs:
        if run.conclusion != "success":
            yield f"the run {run.id} of the workflow ended with {run.conclusion or run.status}"
        if scene.cut is not None and run.inputs["git_commit"] != scene.cut.commit:
            yield f"the run {run.id} of the workflow built {run.inputs['git_commit']}, not {scene.cut.commit}"


def _of_the_pipeline(scene: Scene) -> Iterator[str]:
    runs = _runs(scene)
    purposes = Counter("publish" if run.parameters.get("DoPublish", "").lower() == "true" else "build" for run in runs)
    wanted = Counter() if scene.files.security else Counter(build=1, publish=1)
    if purposes != wanted:
        yield f"the Windows pipeline had {dict(purposes)} runs, not {dict(wanted)}"
    for run in runs:
        if run.result != "succeeded":
            yield f"the run {run.name} on Azure ended with {run.result or run.status}"


def _runs(scene: Scene) -> list[Run]:
    """Return the runs on Azure, without those of other versions that are released at the same time."""
    others = {one.tag for one in scene.beside}
    return [run for run in scene.world.azure.runs if run.parameters.get("SourceTag", "") not in others]


def _of_the_leases(scene: Scene) -> Iterator[str]:
    leases = Counter(lease.run for lease in scene.world.azure.leases)
    for run in _runs(scene):
        if leases[run.id] != 1:
            yield f"the run {run.name} on Azure is kept by {leases[run.id]} leases, not by one"


def _of_python_org(scene: Scene) -> Iterator[str]:
    tables, name = scene.world.python_org.tables, release_name(scene.files)
    shown = [release for release in tables.releases.values() if release.name == name and release.is_published]
    if len(shown) != 1:
        yield f"python.org shows {len(shown)} releases with the name {name}, not one"
        return
    listed = {file.url.rpartition("/")[2]: file.sha256_sum for file in tables.files.values() if file.release is shown[0]}
    for file in scene.files.keys() - listed.keys():
        yield f"python.org does not list {file}"
    for file in listed.keys() - scene.files.keys():
        yield f"python.org lists {file}, which was never made"
