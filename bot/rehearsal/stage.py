"""Set the stage for one version: the repository, the people and their keys, and a profile of the real policy in a hurry."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Final

from bot.rehearsal.keys import OpenPgpKey, openpgp_key
from bot.rehearsal.release_files import LAST_OPENPGP
from bot.rehearsal.repository import Identity
from bot.rehearsal.source_tree import SourceTree, small_tree, tree_from_tarball
from bot.rehearsal.trust_sigstore import SmallSigstore
from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.rehearsal.versions import PythonVersion, WrongUse
from bot.rehearsal.workshop import SIGNERS, Workshop

UPSTREAM: Final = "python/cpython"

_MANAGERS: Final = ((9, "ambv"), (11, "pablogsal"), (13, "Yhg1s"), (15, "hugovk"))
"""Up to which 3.X somebody manages the releases (https://peps.python.org/api/release-cycle.json)."""

_NEWEST_MANAGER: Final = "savannahostrowski"

TIMING: Final = """[timing]
poll = 0.2
confirm_gap = 0.05
approval_valid = 3600
remind = 3600
authority_patience = 2
write_gap = 0
sweep = 1
lease = 2
heartbeat = 0.4
"""
"""Waits that are as short as they can be."""

_TRUST: Final = """[trust]
openpgp = ["manager.asc"]
"""

_MADE_UP_ID: Final = 900_000_001
"""The first account number of those who play and whose real one the profile does not know."""

_EXPERTS: Final = frozenset({"windows-expert", "macos-expert"})
"""The roles of those who play beside the manager."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """Somebody of the profile, as the world needs them."""

    login: str
    id: int
    name: str
    fork: str
    roles: frozenset[str] = frozenset()

    @property
    def identity(self) -> Identity:
        """Give the name and the address that they commit with; no mail can reach it."""
        return Identity(name=self.name, email=f"{self.login.lower()}@rehearsal.invalid")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that must be there before the world is built."""

    version: PythonVersion
    tree: SourceTree
    manager: Player
    others: tuple[Player, ...]
    windows_expert: Player
    macos_expert: Player
    managers_by_series: Mapping[str, str]
    """Full names, for the release-cycle data."""
    team: tuple[str, str]
    profile: Path
    key: OpenPgpKey | None
    """The manager's key, where the series wants signed tags."""
    workshop: Workshop
    """Those who sign the files of the release."""


@contextmanager
def stage(directory: Path, version: PythonVersion, source: Path | None) -> Iterator[Stage]:
    """Set everything up below the directory; raise WrongUse when version or tarball cannot be rehearsed. It blocks for seconds."""
    with stages(directory, [version], source) as (only,):
        yield only


@contextmanager
def stages(directory: Path, versions: Sequence[PythonVersion], source: Path | None = None) -> Iterator[tuple[Stage, ...]]:
    """Set one stage for each version, all of them in one world with one profile; raise WrongUse as ``stage`` does."""
    if never := [version for version in versions if not version.released]:
        raise WrongUse(f"{never[0]} is never released; rehearse a version such as 3.15.0a3.")
    upstream = directory / "source.git"
    tree = tree_from_tarball(upstream, source, versions[0]) if source else small_tree(upstream, *versions)
    shipped = resources.files("bot").joinpath("profiles", "cpython.toml").read_text(encoding="utf-8")
    policy = tomllib.loads(shipped)
    lead = {version: _manager_of(version.minor) for version in versions}
    players = _numbered([_player(person) for person in policy["person"]], *lead.values())
    with ExitStack() as stack:
        keys = {login: stack.enter_context(openpgp_key(players[login].identity)) for login in dict.fromkeys(lead.values())}
        signs = {
            name: stack.enter_context(openpgp_key(Identity(name=name, email=f"{name}@rehearsal.invalid"))) for name in _signers(*versions)
        }
        workshop = Workshop(
            sigstore=SmallSigstore.create(), windows=SmallWindowsSigning.create(directory), identity="", issuer="", openpgp=signs
        )
        workshop.write_roots(directory)
        profile = directory / "cpython.toml"
        text = hurried_profile(shipped, players[lead[versions[0]]], keys[lead[versions[0]]].fingerprint, players.values(), workshop)
        profile.write_text(_with_keys(text, keys, directory), encoding="utf-8")
        organization, _, slug = str(policy["project"]["team"]).partition("/")
        yield tuple(
            Stage(
                version=version,
                tree=tree,
                manager=players[login],
                others=tuple(player for player in players.values() if player.login != login and player.id),
                windows_expert=_first_with("windows-expert", players),
                macos_expert=_first_with("macos-expert", players),
                managers_by_series={series: players[_manager_of(int(series.partition(".")[2]))].name for series in tree.setting.statuses},
                team=(organization, slug),
                profile=profile,
                key=keys[login] if version.wants_signed_tag else None,
                workshop=_workshop_of(version, workshop, policy["series"][version.series]["sigstore"]),
            )
            for version, login in lead.items()
        )


def _workshop_of(version: PythonVersion, workshop: Workshop, told: Mapping[str, str]) -> Workshop:
    """Return the workshop as the series has it: in the name of its own login, and with OpenPGP only where its files have that."""
    openpgp = workshop.openpgp if _signers(version) else {}
    return replace(workshop, identity=told["identity"], issuer=told["issuer"], openpgp=openpgp)


def _with_keys(text: str, keys: Mapping[str, OpenPgpKey], directory: Path) -> str:
    """Write the keys of the managers beside the profile, and give everybody theirs; the first one's is there already."""
    for number, (login, key) in enumerate(keys.items()):
        file = "manager.asc" if number == 0 else f"manager-{number}.asc"
        (directory / file).write_text(key.public(), encoding="utf-8")
        if number:
            text = _with_fingerprint(text, login, key.fingerprint).replace('["manager.asc"', f'["manager.asc", "{file}"', 1)
    return text


def _signers(*versions: PythonVersion) -> tuple[str, ...]:
    return SIGNERS if any(version.minor <= LAST_OPENPGP for version in versions) else ()


def hurried_profile(
    shipped: str, manager: Player, fingerprint: str, players: Iterable[Player] = (), workshop: Workshop | None = None
) -> str:
    """Give the shipped profile with short waits and the keys and roots of the rehearsal, which lie beside it.

    Of the people, the manager has the made-up key in the place of the real one, and those ``players`` whose number is unknown get theirs.
    """
    trust = workshop.trust_table() if workshop else _TRUST
    text = with_section(with_section(shipped, "timing", TIMING), "trust", trust)
    if workshop:
        text = re.sub(r"^openpgp = \{.*\}$", workshop.signers_line() if workshop.openpgp else "", text, flags=re.MULTILINE)
    for player in (manager, *players):
        before, block, after = _person_block(text, player.login)
        text = before + (re.sub(r"^id = .*$", f"id = {player.id}", block, flags=re.MULTILINE) if player.id else block) + after
    return _with_fingerprint(text, manager.login, fingerprint)


def _with_fingerprint(text: str, login: str, fingerprint: str) -> str:
    before, block, after = _person_block(text, login)
    block = re.sub(r"^pgp_fingerprints = .*\n", "", block, flags=re.MULTILINE)
    return f'{before}{block.rstrip()}\npgp_fingerprints = ["{fingerprint}"]\n\n{after}'


def _numbered(people: Sequence[Player], *managers: str) -> dict[str, Player]:
    """Give everybody who plays a number, by login; a manager of other series who has none does not."""
    numbers = count(_MADE_UP_ID)
    plays = {one.login: one.id == 0 and (one.login in managers or bool(one.roles & _EXPERTS)) for one in people}
    return {one.login: replace(one, id=next(numbers)) if plays[one.login] else one for one in people}


def _first_with(role: str, players: Mapping[str, Player]) -> Player:
    return next(player for player in players.values() if role in player.roles)


def with_section(text: str, name: str, replacement: str) -> str:
    """Give the text of a profile with another section of this name."""
    changed, count = re.subn(rf"^\[{name}\]\n(?:(?!\[).*\n?)*", lambda _: f"{replacement}\n", text, flags=re.MULTILINE)
    return changed if count else f"{text}\n{replacement}"


def _person_block(text: str, login: str) -> tuple[str, str, str]:
    match = re.search(rf'^\[\[person\]\]\nlogin = "{re.escape(login)}"\n(?:[^\[\n#].*\n)*', text, re.MULTILINE)
    if match is None:
        raise WrongUse(f"The shipped profile has no person {login}, who manages these releases; reinstall the bot.")
    return text[: match.start()], match[0], text[match.end() :]


def _player(person: Mapping[str, object]) -> Player:
    number, forks, roles = person["id"], person.get("forks"), person.get("roles")
    return Player(
        login=str(person["login"]),
        id=number if isinstance(number, int) else 0,
        name=str(person["name"]),
        fork=str(forks[0]) if isinstance(forks, list) and forks else "",
        roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
    )


def _manager_of(minor: int) -> str:
    return next((login for newest, login in _MANAGERS if minor <= newest), _NEWEST_MANAGER)
