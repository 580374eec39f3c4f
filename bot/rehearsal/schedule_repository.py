"""The repository that tells which release was made when: https://github.com/python/peps, with nothing in it but that file and its PEPs."""

import tomllib
from collections.abc import Mapping
from typing import Final

from bot.rehearsal.peps import Entry, Peps, stage_of
from bot.rehearsal.schedule_pep import pep
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World

REPOSITORY: Final = "python/peps"
PATH: Final = "release_management/python-releases.toml"

_MAIN: Final = "refs/heads/main"
_SOMEBODY: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "PEP editors"), ("EMAIL", "pep-editors@rehearsal.invalid"))
}


async def add_schedule(world: World, committer: str) -> None:
    """Put the repository into the world as the site tells of it, with the App installed on it; ``committer`` may push there."""
    github = world.github
    repository = await github.add_repository(REPOSITORY, committers=[committer])
    tree = (await repository.git.git("hash-object", "-t", "tree", "-w", "--stdin")).decode().strip()
    first = (await repository.git.git("commit-tree", tree, "-m", "Begin", environment=_SOMEBODY)).decode().strip()
    await repository.git.git("update-ref", _MAIN, first)
    dates = written(world.peps)
    lists = {pep_path(int(entry["pep"])): pep(name, dates) for name, entry in world.peps.series.items()}
    await github.commit(committer, REPOSITORY, "main", {PATH: dates, **lists}, "Add the schedule")
    github.install(REPOSITORY)


def pep_path(number: int) -> str:
    """Return where a PEP is."""
    return f"peps/pep-{number:04}.rst"


async def unscheduled(world: World, version: PythonVersion) -> list[str]:
    """Give a sentence for everything that does not tell of a release that was made; its PEP is what the command of people would make."""
    dates = await _text(world, PATH)
    data, series = tomllib.loads(dates), version.series
    about, found = data["metadata"][series], []
    if version.ends:
        found += [] if about["status"] == "end-of-life" else [f"{REPOSITORY} has the status {about['status']} for {series}"]
    else:
        stage = stage_of(version.text)
        states = [entry["state"] for entry in data["release"][series] if entry["stage"] == stage]
        found += [] if states == ["actual"] else [f"{REPOSITORY} does not tell that {stage} was made"]
    path = pep_path(about["pep"])
    return found if await _text(world, path) == pep(series, dates) else [*found, f"the lists of {path} are not those of {PATH}"]


async def _text(world: World, path: str) -> str:
    git = world.github.repository(REPOSITORY).git
    return (await git.content("blob", str(await git.resolve(f"{_MAIN}:{path}")))).decode()


def written(peps: Peps) -> str:
    """Return the file, as people keep it."""
    oldest_first = sorted({*peps.series, *peps.planned}, key=lambda name: [int(number) for number in name.split(".")])
    return "# People keep this file by hand.\n\n" + "\n".join(
        _series(name, peps.series.get(name), peps.planned.get(name, [])) for name in oldest_first
    )


def _series(name: str, entry: Entry | None, planned: list[dict[str, str]]) -> str:
    title = f"# -- Python {name} " + "-" * 60 + "\n\n"
    if entry is None:
        return title + "".join(_release(name, one) for one in planned)
    # What only mends holes is made when it is needed: nobody plans it there.
    known = [one for one in planned if one["state"] == "actual" or entry["status"] != "security"]
    first = {"stage": f"{name}.0 final", "state": "actual", "date": str(entry["first_release"])}
    if entry["status"] in ("bugfix", "security") and first["stage"] not in [one["stage"] for one in known]:
        known.insert(0, first)
    return title + _metadata(name, entry) + "".join(_release(name, one) for one in known)


def _metadata(name: str, entry: Entry) -> str:
    ends = f"{entry['end_of_life']}-01"
    lines = (
        f'[metadata."{name}"]',
        f"pep = {entry['pep']}",
        f'status = "{entry["status"]}"',
        f'branch =  "{entry["branch"]}"',
        f'release-manager = "{entry["release_manager"]}"',
        "start-of-development = 2025-05-07",
        "feature-freeze = 2026-05-05",
        f"first-release = {entry['first_release']}",
        f"end-of-bugfix = {entry['first_release'] if entry['status'] == 'security' else ends}",
        f"end-of-life = {ends}",
    )
    return "\n".join(lines) + "\n\n"


def _release(name: str, one: Mapping[str, str]) -> str:
    note = f'note = "{one["note"]}"\n' if one.get("note") else ""
    return f'[[release."{name}"]]\nstage = "{one["stage"]}"\nstate = "{one["state"]}"\ndate = {one["date"]}\n{note}\n'
