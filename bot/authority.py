"""Who may do what. Pure: it judges over facts about a speaker that were fetched at the moment of acting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.command_types import Command, Done, Verb
from bot.release.ids import UserId
from bot.release.model import Actor, Release
from bot.release.quoting import shown
from bot.release.rows import WITHDRAW


class Role(StrEnum):
    """What a person of a profile may be."""

    RELEASE_MANAGER = "release-manager"
    APPROVER = "approver"
    WINDOWS_EXPERT = "windows-expert"
    MACOS_EXPERT = "macos-expert"


EXPERTS: Final = frozenset({Role.WINDOWS_EXPERT, Role.MACOS_EXPERT})
"""Those who build and publish for one platform."""


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Who speaks, by numeric id; the login is only for reading.

    ``is_bot`` is true for accounts of the type Bot; ``through_app`` for comments that an App other than ours wrote in a person's name
    (``performed_via_github_app``, https://docs.github.com/en/rest/issues/comments); ``team_member`` for active members of the
    profile's team only, not for pending ones, and None where the profile names no team.
    """

    id: UserId
    login: str
    is_bot: bool
    through_app: bool
    roles: frozenset[Role]
    team_member: bool | None


@dataclass(frozen=True)
class Allowed:
    """The speaker may; ``warning`` is one sentence to be recorded and shown, where there is something to say."""

    warning: str = ""


@dataclass(frozen=True)
class Refused:
    """The speaker may not; ``why`` is one sentence. ``quiet``: do not answer with a comment, which would only make noise."""

    why: str
    quiet: bool = False


Judgement = Allowed | Refused

NOBODY: Final[Mapping[str, Role]] = MappingProxyType({})

_RETRIERS: Final = frozenset({Role.RELEASE_MANAGER, *EXPERTS})


def judge(command: Command, speaker: Speaker, release: Release | None, experts: Mapping[str, Role] = NOBODY) -> Judgement:
    """Tell whether the speaker may give this command.

    ``release`` is the one of the issue, or None where there is none; then only the speaker's own standing is judged. Whether the command
    makes sense at this point (no release, one that is over, a second one) is not judged here. ``experts`` gives the role that answers for
    each step done by hand.
    """
    if speaker.is_bot:
        return Refused(f"Commands are taken from people only, and {speaker.login} is a bot.", quiet=True)
    if speaker.through_app:
        return Refused("This comment was written through another App, so I cannot be sure who meant it: write the command yourself.")
    if isinstance(command, Done) and command.name == WITHDRAW:
        return _manager_in_team(speaker, release)
    if isinstance(command, Done):
        return _expert(speaker, command.name, experts.get(command.name))
    return _RULES[command.verb](speaker, release)


def _expert(speaker: Speaker, name: str, role: Role | None) -> Judgement:
    """Take the word of those alone who do the work: a release manager who goes on without them defers it."""
    if role is None:
        return Refused(f"The profile knows no step {shown(name)} that is done by hand, so nobody can say that it is done.")
    if role in speaker.roles:
        return Allowed()
    account = f"the account {speaker.login} ({speaker.id})"
    return Refused(f"Only a {role} may say that {name} is done, and the profile does not list {account} as one.")


def _familiar(speaker: Speaker, _release: Release | None) -> Judgement:
    if speaker.roles or speaker.team_member:
        return Allowed()
    return Refused(
        f"Only people with a role in the profile or active members of the release team may do this, and {speaker.login} is neither."
    )


def _reader(speaker: Speaker, release: Release | None) -> Judgement:
    """Let strangers ask without an answer, because nothing they could learn from it is secret and the answer would be noise."""
    judgement = _familiar(speaker, release)
    return replace(judgement, quiet=True) if isinstance(judgement, Refused) else judgement


def _manager_in_team(speaker: Speaker, _release: Release | None) -> Judgement:
    """Two independent facts are asked for, so that neither an outdated profile nor a team that grew can release alone."""
    if Role.RELEASE_MANAGER not in speaker.roles:
        return Refused(f"Only a release manager may do this, and the profile does not list {speaker.login} as one.")
    if speaker.team_member is False:
        return Refused(f"{speaker.login} is a release manager in the profile, but not an active member of the release team on GitHub.")
    return Allowed()


def _manager_of_release(speaker: Speaker, release: Release | None) -> Judgement:
    judgement = _manager_in_team(speaker, release)
    return judgement if isinstance(judgement, Refused) else _own_or_stand_in(speaker, release)


def _own_or_stand_in(speaker: Speaker, release: Release | None) -> Judgement:
    """Let another release manager act too, but on the record."""
    if release is None or speaker.id in _owners(release):
        return Allowed()
    owners = " and ".join(dict.fromkeys(_owners(release).values()))
    return Allowed(f"{speaker.login} acts as a stand-in here, because the release belongs to {owners}.")


def _owners(release: Release) -> dict[UserId, str]:
    """Return the logins of the starter and of the series' manager by their ids."""
    people: tuple[Actor | None, ...] = (release.starter, release.manager)
    return {person.id: person.login for person in people if person is not None}


def _retrier(speaker: Speaker, release: Release | None) -> Judgement:
    if not speaker.roles & _RETRIERS:
        return Refused(
            f"Only a release manager or a platform expert may retry a step, and the profile does not list {speaker.login} as one."
        )
    if Role.RELEASE_MANAGER not in speaker.roles:
        return Allowed()
    return _manager_of_release(speaker, release)


def _giver_up(speaker: Speaker, release: Release | None) -> Judgement:
    """Let those who decide be the second person of a recall; giving up a release is a release manager's."""
    if release is not None and (release.recalls or release.later.recalls):
        return _decider(speaker, release)
    return _manager_of_release(speaker, release)


def _decider(speaker: Speaker, release: Release | None) -> Judgement:
    """Let approvers decide, who may stand outside the team, and release managers as long as they are in it."""
    if Role.APPROVER in speaker.roles:
        return Allowed()
    if Role.RELEASE_MANAGER in speaker.roles:
        return _manager_in_team(speaker, release)
    return Refused(f"Only a release manager or an approver may do this, and the profile does not list {speaker.login} as either.")


def _second_person(speaker: Speaker, release: Release | None) -> Judgement:
    """Never leave a waiver to those whose release it is: two persons must have looked."""
    judgement = _decider(speaker, release)
    if isinstance(judgement, Refused) or release is None:
        return judgement
    if speaker.id == release.starter.id:
        return Refused(
            f"A waiver needs a second person, and {speaker.login} started this release: ask another release manager or an approver."
        )
    if release.tag is not None and speaker.id == release.tag.owner:
        return Refused(f"A waiver needs a second person, and {speaker.login} made the tag: ask another release manager or an approver.")
    return judgement


_RULES: Final[Mapping[Verb, Callable[[Speaker, Release | None], Judgement]]] = {
    Verb.OPEN: _manager_in_team,
    Verb.STATUS: _reader,
    Verb.APPROVE: _manager_of_release,
    Verb.GO: _manager_of_release,
    Verb.DEFER: _manager_of_release,
    Verb.APPROVE_STAGE: _manager_of_release,
    Verb.REJECT_STAGE: _manager_of_release,
    Verb.ACKNOWLEDGE: _manager_of_release,
    Verb.WAIVE: _second_person,
    Verb.RETRY: _retrier,
    Verb.REFREEZE: _manager_of_release,
    Verb.HALT: _familiar,
    Verb.RESUME: _decider,
    Verb.ABORT: _giver_up,
    Verb.HELP: _reader,
    Verb.FREEZE: _manager_in_team,
    Verb.UNFREEZE: _manager_in_team,
}
