"""Set the stage for the release of a package: the repository, the people, the pipeline, PyPI, and the real policy in a hurry."""

import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from bot.rehearsal.azure_model import Identity
from bot.rehearsal.sdk_machinery import ACCOUNT, SdkMachines
from bot.rehearsal.sdk_pipeline import NUMBER, ORGANIZATION, PROJECT, ServiceSource, approvers, distributions
from bot.rehearsal.sdk_tree import NEIGHBOURS, SERVICE, SdkTree, sdk_tree
from bot.rehearsal.stage import TIMING, Player, with_section
from bot.rehearsal.versions import WrongUse
from bot.rehearsal.world import World

UPSTREAM: Final = "Azure/azure-sdk-for-python"
PROFILE: Final = "azure_sdk.toml"
OWNER: Final = "microsoft"
"""The account that has to own every project: https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md."""

_NAME: Final = re.compile(r"azure-[a-z0-9]+(-[a-z0-9]+)*")
_MADE_UP_ID: Final = 910_000_001


@dataclass(frozen=True, kw_only=True)
class SdkStage:
    """Everything that must be there before the world is built."""

    package: str
    version: str
    tree: SdkTree
    manager: Player
    approver: Player
    others: tuple[Player, ...]
    team: tuple[str, str] | None
    project: str
    """How the profile calls what is released."""
    profile: Path
    bot_approves: bool = False
    """Whether the bot is in the group of approvers on Azure."""

    @property
    def tag(self) -> str:
        """Give the name of the tag: https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md."""
        return f"{self.package}_{self.version}"

    @property
    def people(self) -> tuple[Player, ...]:
        """Give everybody whom the profile knows."""
        return (self.manager, *self.others)


def sdk_stage(directory: Path, package: str, version: str, *, bot_approves: bool | None = None) -> SdkStage:
    """Set everything up below the directory; raise WrongUse for what cannot be rehearsed. It blocks.

    Whether the bot gives approvals itself is as in the shipped profile, unless ``bot_approves`` says otherwise.
    """
    _check(package, version)
    shipped = resources.files("bot").joinpath("profiles", PROFILE).read_text(encoding="utf-8")
    policy = tomllib.loads(shipped)
    players = _players(policy["person"])
    manager = _with("release-manager", players)
    profile = directory / PROFILE
    text = _hurried(shipped, players)
    if bot_approves is not None:
        text = re.sub(r"^approves = \w+$", f"approves = {str(bot_approves).lower()}", text, flags=re.MULTILINE)
    profile.write_text(text, encoding="utf-8")
    organization, _, slug = str(policy["project"].get("team", "")).partition("/")
    return SdkStage(
        package=package,
        version=version,
        tree=sdk_tree(directory / "source.git", package, version),
        manager=manager,
        approver=_with("approver", [player for player in players if player is not manager] or players),
        others=tuple(player for player in players if player is not manager),
        team=(organization, slug) if slug else None,
        project=str(policy["project"]["name"]),
        profile=profile,
        bot_approves=bool(re.search(r"^approves = true$", text, re.MULTILINE)),
    )


async def populated_sdk(
    world: World, tree: SdkTree, *, people: Sequence[str], approvers: Collection[str], bot_approves: bool = False
) -> SdkMachines:
    """Put repository, pipeline and packages into a world in which these people have accounts; give the machines that build there."""
    world.github.add_user(ACCOUNT)
    await world.github.add_repository(UPSTREAM, source=tree.path, committers=[*people, ACCOUNT])
    world.github.install(UPSTREAM)
    source = ServiceSource(world.github.repository(UPSTREAM).git.directory, UPSTREAM, SERVICE)
    _settle(world, source, approvers, bot_approves=bot_approves)
    for package in NEIGHBOURS:
        for name, content in distributions(package.name, package.version, {}).items():
            world.pypi.upload(ACCOUNT, name, content)
        world.pypi.add_role(package.name, OWNER)
    return SdkMachines(world, source, UPSTREAM)


def _settle(world: World, source: ServiceSource, people: Iterable[str], *, bot_approves: bool) -> None:
    """Make Azure the organisation of the SDK; names of pipelines repeat there across folders."""
    members = [Identity(login=login, name=login) for login in people]
    if bot_approves:
        members.append(world.azure.estate.bot)
    archived = source.pipeline(NUMBER + 1000, folder="\\python\\archive")
    pipelines = (source.pipeline(), archived)
    world.azure.settle(organization=ORGANIZATION, project=PROJECT, pipelines=pipelines, approvers=[approvers(*members)])


def _check(package: str, version: str) -> None:
    if not _NAME.fullmatch(package):
        raise WrongUse(f"{package!r} is not a package that can be rehearsed; write a name such as azure-core.")
    try:
        normal = str(Version(version))
    except InvalidVersion:
        raise WrongUse(f"{version!r} is not a version that can be rehearsed; write one such as 1.30.0.") from None
    if normal != version:
        raise WrongUse(f"{version} is not written as PyPI writes it; write {normal}.")
    known = next((one.version for one in NEIGHBOURS if one.name == package), None)
    if known and Version(known) >= Version(version):
        raise WrongUse(f"{package} {known} is on PyPI already; rehearse a later version.")


def _players(people: Sequence[dict[str, object]]) -> list[Player]:
    """Give everybody of the profile a number, also those whose real one it does not know."""
    numbers = count(_MADE_UP_ID)
    found = []
    for person in people:
        number, roles = person["id"], person.get("roles")
        player = Player(
            login=str(person["login"]),
            id=number if isinstance(number, int) else 0,
            name=str(person["name"]),
            fork="",
            roles=frozenset(map(str, roles)) if isinstance(roles, list) else frozenset(),
        )
        found.append(player if player.id else replace(player, id=next(numbers)))
    return found


def _with(role: str, players: Iterable[Player]) -> Player:
    player = next((player for player in players if role in player.roles), None)
    if player is None:
        raise WrongUse(f"The shipped profile {PROFILE} has nobody with the role {role}; reinstall the bot.")
    return player


def _hurried(shipped: str, players: Iterable[Player]) -> str:
    """Give the shipped profile with short waits, and with numbers for those whose real one is not known."""
    text = with_section(shipped, "timing", TIMING)
    for player in players:
        start = rf'(^login = "{re.escape(player.login)}"\nid = )\d+'
        text = re.sub(start, rf"\g<1>{player.id}", text, flags=re.MULTILINE)
    return text
