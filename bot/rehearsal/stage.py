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

_TIMING: Final = """[timing]
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
    if not version.released:
        raise WrongUse(f"{version} is never released; rehearse a version such as 3.15.0a3.")
    upstream = directory / "source.git"
    tree = tree_from_tarball(upstream, source, version) if source else small_tree(upstream, version)
    shipped = resources.files("bot").joinpath("profiles", "cpython.toml").read_text(encoding="utf-8")
    policy = tomllib.loads(shipped)
    players = _numbered([_player(person) for person in policy["person"]], _manager_of(version.minor))
    manager = players[_manager_of(version.minor)]
    with ExitStack() as stack:
        key = stack.enter_context(openpgp_key(manager.identity))
        (directory / "manager.asc").write_text(key.public(), encoding="utf-8")
        signs = {
            name: stack.enter_context(openpgp_key(Identity(name=name, email=f"{name}@rehearsal.invalid"))) for name in _signers(version)
        }
        told = policy["series"][version.series]["sigstore"]
        workshop = Workshop(
            sigstore=SmallSigstore.create(),
            windows=SmallWindowsSigning.create(directory),
            identity=told["identity"],
            issuer=told["issuer"],
            openpgp=signs,
        )
        workshop.write_roots(directory)
        profile = directory / "cpython.toml"
        profile.write_text(hurried_profile(shipped, manager, key.fingerprint, players.values(), workshop), encoding="utf-8")
        organization, _, slug = str(policy["project"]["team"]).partition("/")
        yield Stage(
            version=version,
            tree=tree,
            manager=manager,
            others=tuple(player for player in players.values() if player.login != manager.login and player.id),
            windows_expert=_first_with("windows-expert", players),
            macos_expert=_first_with("macos-expert", players),
            managers_by_series={series: players[_manager_of(int(series.partition(".")[2]))].name for series in tree.setting.statuses},
            team=(organization, slug),
            profile=profile,
            key=key if version.wants_signed_tag else None,
            workshop=workshop,
        )


def _signers(version: PythonVersion) -> tuple[str, ...]:
    return SIGNERS if version.minor <= LAST_OPENPGP else ()


def hurried_profile(
    shipped: str, manager: Player, fingerprint: str, players: Iterable[Player] = (), workshop: Workshop | None = None
) -> str:
    """Give the shipped profile with short waits and the keys and roots of the rehearsal, which lie beside it.

    Of the people, the manager has the made-up key in the place of the real one, and those ``players`` whose number is unknown get theirs.
    """
    trust = workshop.trust_table() if workshop else _TRUST
    text = _with_section(_with_section(shipped, "timing", _TIMING), "trust", trust)
    if workshop:
        text = re.sub(r"^openpgp = \{.*\}$", workshop.signers_line() if workshop.openpgp else "", text, flags=re.MULTILINE)
    for player in (manager, *players):
        before, block, after = _person_block(text, player.login)
        text = before + (re.sub(r"^id = .*$", f"id = {player.id}", block, flags=re.MULTILINE) if player.id else block) + after
    before, block, after = _person_block(text, manager.login)
    block = re.sub(r"^pgp_fingerprints = .*\n", "", block, flags=re.MULTILINE)
    return f'{before}{block.rstrip()}\npgp_fingerprints = ["{fingerprint}"]\n\n{after}'


def _numbered(people: Sequence[Player], manager: str) -> dict[str, Player]:
    """Give everybody who plays a number, by login; a manager of other series who has none does not."""
    numbers = count(_MADE_UP_ID)
    plays = {one.login: one.id == 0 and (one.login == manager or bool(one.roles & _EXPERTS)) for one in people}
    return {one.login: replace(one, id=next(numbers)) if plays[one.login] else one for one in people}


def _first_with(role: str, players: Mapping[str, Player]) -> Player:
    return next(player for player in players.values() if role in player.roles)


def _with_section(text: str, name: str, replacement: str) -> str:
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
