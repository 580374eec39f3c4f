"""Turn the classic protection of a branch, as GitHub shows it, into what GitHub takes back, and tell two of them apart. Pure.

What is read and what is written have different shapes, and an answer sent back as it is would be refused:
https://docs.github.com/en/rest/branches/branch-protection
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from bot.errors import UserError
from bot.release.facts import KeptProtection

Settings = dict[str, object]
"""A JSON object on its way to GitHub or from it."""

UNPROTECTED: Final = KeptProtection(settings="", signatures=False)
"""A branch without any classic protection."""

MOST_ACTORS: Final = 100
"""How many users, teams and Apps together a list may name when it is written."""

ANY_APP: Final = -1
"""What is written for a check that any App may report: leaving it out would pin the check to the App that reported it last."""

FLAGS: Final = {
    "required_linear_history": "a linear history is required",
    "allow_force_pushes": "force pushes are allowed",
    "allow_deletions": "deleting is allowed",
    "block_creations": "creating is restricted",
    "required_conversation_resolution": "conversations must be resolved",
    "lock_branch": "the branch is locked",
    "allow_fork_syncing": "syncing a locked fork is allowed",
}
"""What is a bare truth value when it is written, and what it means."""

_WORDS: Final = {
    "restrictions": "who may push",
    "enforce_admins": "administrators are bound",
    "required_signatures": "signed commits are required",
    **FLAGS,
    "required_pull_request_reviews": "required reviews",
    "required_status_checks": "required checks",
}
_DECORATION: Final = frozenset({"url", "protection_url", "name", "enabled"})
_CHECKS: Final = frozenset({"url", "contexts_url", "enforcement_level", "strict", "contexts", "checks"})
_REVIEW_VALUES: Final = (
    "dismiss_stale_reviews",
    "require_code_owner_reviews",
    "required_approving_review_count",
    "require_last_push_approval",
)
_REVIEW_LISTS: Final = ("dismissal_restrictions", "bypass_pull_request_allowances")
_ACTORS: Final = {"users": "login", "teams": "slug", "apps": "slug"}
_ACTOR_LINKS: Final = frozenset({"url", "users_url", "teams_url", "apps_url"})


class NotRestorable(UserError):
    """The protection has something in it that could not be put back as it is."""


class Standing(StrEnum):
    """How the protection of a branch stands to a freeze of it."""

    FROZEN = "frozen"
    """Exactly as the bot writes it."""
    BETWEEN = "between"
    """On its way there or back: all but the requirement of signed commits, which takes a request of its own."""
    BEFORE = "before"
    """Exactly as it was before the freeze."""
    OTHER = "other"
    """Changed by somebody else."""


def kept(answer: Mapping[str, object] | None) -> KeptProtection:
    """Return the protection GitHub shows (None: there is none) as it can be written back; raise NotRestorable."""
    if answer is None:
        return UNPROTECTED
    _require_known(answer, {*_WORDS, *_DECORATION}, "the protection")
    settings: Settings = {flag: _enabled(answer, flag) for flag in FLAGS}
    settings["enforce_admins"] = _enabled(answer, "enforce_admins")
    settings["required_status_checks"] = _checks(_part(answer, "required_status_checks"))
    settings["required_pull_request_reviews"] = _reviews(_part(answer, "required_pull_request_reviews"))
    restrictions = _part(answer, "restrictions")
    settings["restrictions"] = None if restrictions is None else _actors(restrictions, "the list of who may push")
    return KeptProtection(settings=_canonical(settings), signatures=_enabled(answer, "required_signatures"))


def frozen(app: str) -> KeptProtection:
    """Return the protection of a frozen branch: nobody but the App of this slug can move it, administrators included.

    Reviews and checks are left out, since they would stop the App and can bind nobody else. It is not locked, for a lock lets nobody pass.
    """
    settings: Settings = {
        **dict.fromkeys(FLAGS, False),
        "enforce_admins": True,
        "required_status_checks": None,
        "required_pull_request_reviews": None,
        "restrictions": {"users": [], "teams": [], "apps": [app]},
    }
    return KeptProtection(settings=_canonical(settings), signatures=False)


def body(protection: KeptProtection) -> Settings:
    """Return what is sent to write a protection; the branch must have one."""
    settings: Settings = json.loads(protection.settings)
    return settings


def standing(seen: KeptProtection, before: KeptProtection, app: str) -> Standing:
    """Tell how a protection stands to the freeze by the App of this slug of a branch that was protected like ``before``."""
    if seen == before:
        return Standing.BEFORE
    if seen == frozen(app):
        return Standing.FROZEN
    half = before.signatures and seen.signatures and seen.settings == frozen(app).settings
    return Standing.BETWEEN if half else Standing.OTHER


def shuts_out(protection: KeptProtection, app: str) -> bool:
    """Tell whether nobody but the App of this slug may push."""
    return bool(protection.settings) and body(protection)["restrictions"] == {"users": [], "teams": [], "apps": [app]}


def shown_to_shut_out(answer: Mapping[str, object] | None, app: str) -> bool:
    """Tell whether nobody but the App of this slug may push, by what GitHub shows of a protection, whatever else that is; in doubt: yes."""
    restrictions = (answer or {}).get("restrictions")
    if not isinstance(restrictions, Mapping):
        return restrictions is not None
    named = [(key, entry) for key in _ACTORS for entry in restrictions.get(key) or ()]
    return all(key == "apps" and isinstance(entry, Mapping) and entry.get("slug") == app for key, entry in named)


def differences(seen: KeptProtection, wanted: KeptProtection) -> tuple[str, ...]:
    """Return in words what one protection has otherwise than another."""
    if seen == wanted:
        return ()
    if not seen.settings:
        return ("there is no protection any more",)
    if not wanted.settings:
        return ("there is a protection where there was none",)
    now, then = _parts(seen), _parts(wanted)
    changed = [(words, _shown(now[key]), _shown(then[key])) for key, words in _WORDS.items() if now[key] != then[key]]
    return tuple(f"“{words}” is {is_now} instead of {was}" for words, is_now, was in changed)


def _parts(protection: KeptProtection) -> Settings:
    return {**body(protection), "required_signatures": protection.signatures}


def _shown(value: object) -> str:
    match value:
        case True | False:
            return "on" if value else "off"
        case None:
            return "absent"
        case _:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _canonical(settings: Settings) -> str:
    return json.dumps(settings, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _require_known(part: Mapping[str, object], known: set[str] | frozenset[str], what: str) -> None:
    unknown = sorted(part.keys() - known)
    if unknown:
        raise NotRestorable(f"{what} has “{'”, “'.join(unknown)}”, which this bot does not know how to put back")


def _part(answer: Mapping[str, object], key: str) -> Mapping[str, object] | None:
    part = answer.get(key)
    if part is not None and not isinstance(part, Mapping):
        raise NotRestorable(f"“{key}” is shown in a form this bot does not know how to put back")
    return part


def _enabled(answer: Mapping[str, object], key: str) -> bool:
    part = _part(answer, key)
    if part is None:
        return False
    _require_known(part, frozenset({"url", "enabled"}), f"“{key}”")
    return _truth(part.get("enabled", False), key)


def _truth(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise NotRestorable(f"“{what}” is shown in a form this bot does not know how to put back")
    return value


def _entries(value: object, what: str) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise NotRestorable(f"{what} is shown in a form this bot does not know how to put back")
    return value


def _checks(part: Mapping[str, object] | None) -> Settings | None:
    if part is None:
        return None
    _require_known(part, _CHECKS, "the list of required checks")
    checks = []
    for entry in _entries(part.get("checks"), "the list of required checks"):
        _require_known(entry, frozenset({"context", "app_id"}), "a required check")
        app = entry.get("app_id")
        checks.append({"context": entry.get("context"), "app_id": ANY_APP if app is None else app})
    contexts = part.get("contexts", [])
    if not isinstance(contexts, list) or {*contexts} - {check["context"] for check in checks}:
        raise NotRestorable("the list of required checks names some without saying which App has to report them")
    ordered = sorted(checks, key=lambda check: (str(check["context"]), str(check["app_id"])))
    return {"strict": _truth(part.get("strict", False), "strict"), "contexts": [], "checks": ordered}


def _reviews(part: Mapping[str, object] | None) -> Settings | None:
    if part is None:
        return None
    _require_known(part, {"url", *_REVIEW_VALUES, *_REVIEW_LISTS}, "the rule about reviews")
    reviews: Settings = {"require_last_push_approval": False, **{key: part[key] for key in _REVIEW_VALUES if key in part}}
    for key in _REVIEW_LISTS:
        listed = _part(part, key)
        # An empty object says that there is no such list; an empty list of who may dismiss reviews says that nobody may.
        reviews[key] = {} if listed is None else _actors(listed, f"“{key}”")
    if not any(_names(reviews["bypass_pull_request_allowances"])):
        reviews["bypass_pull_request_allowances"] = {}
    return reviews


def _names(actors: object) -> list[object]:
    return [name for names in actors.values() for name in names] if isinstance(actors, dict) else []


def _actors(part: Mapping[str, object], what: str) -> Settings:
    _require_known(part, {*_ACTORS, *_ACTOR_LINKS}, what)
    actors: Settings = {}
    for key, name in _ACTORS.items():
        names = [entry.get(name) for entry in _entries(part.get(key, []), what)]
        if not all(isinstance(one, str) and one for one in names):
            raise NotRestorable(f"{what} holds somebody without a name")
        actors[key] = sorted(str(one) for one in names)
    if (count := len(_names(actors))) > MOST_ACTORS:
        raise NotRestorable(f"{what} holds {count} users, teams and Apps, and GitHub takes only {MOST_ACTORS} back")
    return actors
