"""Put a release on python.org as its manager does: with the archives that the workflow built, and companions for every file.

https://github.com/python/release-tools/blob/main/run_release.py uploads them, ``add_to_pydotorg.py`` beside it signs and lists them.
"""

from collections.abc import Mapping
from pathlib import Path

from bot.rehearsal.release_files import ReleaseFiles
from bot.rehearsal.release_workflow import REPOSITORY
from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.stage import Stage
from bot.rehearsal.world import World


def files_of(setting: Stage, world: World) -> ReleaseFiles:
    """Return the files of the version for which the stage is set, built from the tag in its manager's fork."""
    version = setting.version
    security = setting.tree.setting.statuses[version.series] == "security"
    fork = setting.manager.fork

    def origin() -> tuple[Path, str] | None:
        path = world.github.repository(fork).git.directory
        done = LocalRepository(path).attempt("rev-parse", "--verify", "--quiet", f"refs/tags/{version.tag}^{{commit}}")
        return (path, done.stdout.decode().strip()) if done.returncode == 0 else None

    return ReleaseFiles(version, security=security, workshop=setting.workshop, origin=origin)


def release_name(files: ReleaseFiles) -> str:
    """Return how python.org calls the release."""
    return f"Python {files.version}"


def files_in_words(number: int) -> str:
    """Return ``1 file`` or ``2 files``."""
    return "1 file" if number == 1 else f"{number} files"


def downloaded(world: World, files: ReleaseFiles) -> dict[str, bytes]:
    """Return everything that the newest successful run of the workflow left behind for this version."""
    runs = world.github.actions.runs(REPOSITORY)
    wanted = (run for run in runs if run.conclusion == "success" and run.inputs["cpython_release"] == files.version.text)
    run = next(wanted, None)
    return {name: content for artifact in run.artifacts for name, content in artifact.files.items()} if run else {}


def upload(world: World, files: ReleaseFiles, built: Mapping[str, bytes]) -> None:
    """Upload what was built for the release page, and the documentation beside it."""
    for name, content in built.items():
        if name in files:
            world.python_org.upload(files.path(name), content)
        elif name in files.docs:
            world.python_org.upload(f"doc/{files.version}/{name}", content)
    if files.docs:
        world.docs.publish(str(files.version))


def vouch(world: World, files: ReleaseFiles) -> None:
    """Sign every file where it lies, and tell its parts; what the Windows pipeline has put there already stays."""
    for name in files:
        for other, content in files.vouching(name, world.python_org.content(files.path(name)) or files[name]).items():
            if not world.python_org.has(files.path(other)):
                world.python_org.upload(files.path(other), content)


def list_files(world: World, files: ReleaseFiles) -> None:
    """Create the release as a draft, and list its files."""
    world.python_org.create_release(release_name(files))
    for name in files:
        world.python_org.register(release_name(files), files.path(name))


def publish(world: World, files: ReleaseFiles, *, latest: bool = False) -> None:
    """Show the release to everybody, marked as the latest where it is, and what was seen of its files before to nobody."""
    mark = {"is_latest": True} if latest else {}
    world.python_org.change(release_name(files), is_published=True, **mark)
    for name in files:
        for path in (name, *files.companions(name)):
            world.python_org.purge(files.path(path))
