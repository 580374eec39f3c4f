"""The repository in which a release is built: https://github.com/python/release-tools, with nothing in it but the workflow."""

from typing import Final

from bot.rehearsal.release_workflow import BUILD_RELEASE, REPOSITORY, text
from bot.rehearsal.world import World

_MAIN: Final = "refs/heads/main"
_SOMEBODY: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Release Tools"), ("EMAIL", "release-tools@rehearsal.invalid"))
}


async def add_release_tools(world: World, committer: str) -> None:
    """Put the repository into the world, with its workflow on main and the App installed on it; ``committer`` may push there."""
    github = world.github
    repository = await github.add_repository(REPOSITORY, committers=[committer])
    tree = (await repository.git.git("hash-object", "-t", "tree", "-w", "--stdin")).decode().strip()
    first = (await repository.git.git("commit-tree", tree, "-m", "Begin", environment=_SOMEBODY)).decode().strip()
    await repository.git.git("update-ref", _MAIN, first)
    await github.commit(committer, REPOSITORY, "main", {BUILD_RELEASE.path: text()}, "Add the workflow")
    github.actions.add_workflow(REPOSITORY, BUILD_RELEASE)
    github.install(REPOSITORY)
