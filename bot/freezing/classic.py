"""Freeze a branch by its classic protection, where there are no rulesets, and put back exactly what was there.

1. What is there is read whole and written down, with the intent, before anything is changed.
2. It is replaced by a protection under which only this App can move the branch, and read back.
3. Lifting puts back what was written down and reads it back: it has to be equal.
4. Whatever is neither the one nor the other was changed by somebody else: it is left as it is, and a person is asked.

A later life takes what to put back from the intent, never from a branch that is frozen already.
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches
"""

from collections.abc import Mapping
from typing import Final

from bot.effects import Nature
from bot.errors import Refused, UserError, steady
from bot.freezing import protection
from bot.freezing.holds import ByProtection, LeftToPeople
from bot.freezing.protection import NotRestorable, Standing
from bot.journal import Json
from bot.release.facts import KeptProtection
from bot.release.ids import Ref, Repository
from bot.store.model import Finished, Fresh, Intent, Unfinished
from bot.tools import Tools
from bot.words.markdown import plain

_ON_ITS_WAY: Final = frozenset({Standing.FROZEN, Standing.BETWEEN})


async def ensure(tools: Tools, repository: Repository, ref: Ref, *, step: str, before: KeptProtection | None = None) -> ByProtection:
    """Return the hold of a branch by its classic protection, through the door, writing it if it is not there.

    ``before`` is what an earlier hold put in writing, where this one takes its place. Raises NotRestorable where something could not be
    put back, LeftToPeople where the protection was changed while it was being written, and what GitHub refuses.
    """
    number, known = await _newest(tools, step, _freezing(ref))
    if isinstance(known, Finished) and before is None:
        return ByProtection(ref=ref, before=_recorded(known))
    hold = ByProtection(ref=ref, before=before or await _snapshot(tools, repository, ref, known))
    if not isinstance(known, Unfinished) or _recorded(known) != hold.before:
        number += 1

    async def there() -> Mapping[str, Json] | None:
        return {"frozen": True} if await _standing(tools, repository, hold) is Standing.FROZEN else None

    async def write() -> Mapping[str, Json]:
        await _write(tools, repository, hold)
        return {"frozen": True}

    effect = _numbered(_freezing(ref), number)
    await tools.door(step, effect, nature=Nature.FINDABLE, parameters=_parameters(repository, hold), find=there, do=write)
    return hold


async def begun(tools: Tools, ref: Ref, *, step: str) -> ByProtection | None:
    """Return the hold that this attempt began, whether or not anybody remembers how it ended, or None."""
    _, known = await _newest(tools, step, _freezing(ref))
    return None if isinstance(known, Fresh) else ByProtection(ref=ref, before=_recorded(known))


async def problem(tools: Tools, repository: Repository, hold: ByProtection) -> str:
    """Return what is wrong with the protection as the world shows it now, or an empty string."""
    seen = await _read(tools, repository, hold)
    if seen == hold.before:
        return f"the classic protection of {hold.branch} is what it was before the freeze."
    differing = protection.differences(seen, protection.frozen(tools.app.slug))
    return f"in the classic protection of {hold.branch}, {'; '.join(differing)}." if differing else ""


async def ended(tools: Tools, repository: Repository, hold: ByProtection) -> str:
    """Return that others can push again, and with what protection, in Markdown, or an empty string."""
    seen = await _read(tools, repository, hold)
    if protection.shuts_out(seen, tools.app.slug):
        return ""
    if seen == hold.before:
        return "its classic protection is what it was before."
    differing = plain("; ".join(protection.differences(seen, hold.before)))
    return f"its classic protection was changed, and I leave it so. Compared with what it was before the freeze, {differing}."


async def lay_again(tools: Tools, repository: Repository, hold: ByProtection, *, step: str) -> ByProtection:
    """Freeze a branch again whose protection somebody put back; raise LeftToPeople where it is anything else than it was before."""
    seen = await _read(tools, repository, hold)
    if protection.standing(seen, hold.before, tools.app.slug) is Standing.OTHER:
        advice = f"Make the protection of {hold.branch} what it was before the freeze, so that I can freeze it again."
        raise LeftToPeople(f"{advice} {_changed(hold, seen, tools)}", hold.before)
    return await ensure(tools, repository, hold.ref, step=step, before=hold.before)


async def lift(tools: Tools, repository: Repository, hold: ByProtection, *, step: str, leave: bool) -> str:
    """Put back what was there before, through the door; return in one sentence what was left as somebody made it, if anything.

    ``leave`` says that a person wants a changed protection left as it is, which holds where it no longer shuts everybody out.
    Raises LeftToPeople.
    """
    number, known = await _newest(tools, step, _thawing(hold.ref))
    if isinstance(known, Finished) and not await stands(tools, repository, hold):
        return str(known.result.get("left", ""))
    if not isinstance(known, Unfinished):
        number += 1

    async def restored() -> Mapping[str, Json] | None:
        try:
            return {"left": ""} if await _standing(tools, repository, hold) is Standing.BEFORE else None
        except LeftToPeople:
            return None

    async def restore() -> Mapping[str, Json]:
        return {"left": await _restore(tools, repository, hold, leave=leave)}

    effect = _numbered(_thawing(hold.ref), number)
    result = await tools.door(step, effect, nature=Nature.FINDABLE, parameters=_parameters(repository, hold), find=restored, do=restore)
    return str(result["left"])


async def stands(tools: Tools, repository: Repository, hold: ByProtection) -> bool:
    """Tell whether the branch is frozen by this hold, or on its way there or back; what cannot be read is neither."""
    try:
        return await _standing(tools, repository, hold) in _ON_ITS_WAY
    except LeftToPeople:
        return False


async def refusal(tools: Tools, repository: Repository, ref: Ref) -> str:
    """Return in one sentence why a branch cannot be frozen by its classic protection, or an empty string."""
    branch = ref.removeprefix("refs/heads/")
    installed = await tools.github.installation_details(repository)
    if installed is None or installed.permissions.get("administration") != "write":
        return (
            f"{branch} cannot be frozen, because this App may not change branch protection in {repository}: an administrator has to grant "
            "it “administration: write”."
        )
    try:
        await _restorable(tools, repository, branch)
    except NotRestorable as reason:
        return str(reason)
    return ""


async def _snapshot(tools: Tools, repository: Repository, ref: Ref, known: Intent) -> KeptProtection:
    """Return what is to be put back: what an intent says that can still be carried out, else what is there now.

    Raises NotRestorable, and LeftToPeople where what is there now is partly a freeze of ours.
    """
    branch = ref.removeprefix("refs/heads/")
    if isinstance(known, Unfinished):
        hold = ByProtection(ref=ref, before=_recorded(known))
        seen = await _read(tools, repository, hold)
        if protection.standing(seen, hold.before, tools.app.slug) is not Standing.OTHER:
            return hold.before
        if protection.shuts_out(seen, tools.app.slug) and not protection.shuts_out(hold.before, tools.app.slug):
            # Our own freeze, which somebody then changed: put back as it is, it would shut everybody out for ever.
            raise LeftToPeople(_changed(hold, seen, tools), hold.before)
    return await _restorable(tools, repository, branch)


async def _restorable(tools: Tools, repository: Repository, branch: str) -> KeptProtection:
    """Return the protection of a branch; raise NotRestorable, with a sentence for people, where it could not be put back."""
    where = f"({tools.page(repository, 'settings', 'branches')})"
    rule = await tools.github.protection_rule(repository, branch)
    try:
        seen = protection.kept(await tools.github.protection(repository, branch))
    except NotRestorable as reason:
        raise NotRestorable(f"{branch} cannot be frozen, because {reason} {where}.") from None
    # A merge queue could belong to a ruleset, but nothing tells which.
    reasons = {
        f"{repository} belongs to a user, and only in organisations can it be said who may push": not rule.in_organization,
        "a merge queue works on it, whose settings could not be put back": rule.queued,
        "GitHub does not show this App the rule that protects it": bool(seen.settings) and rule.pattern is None,
        f"the pattern “{rule.pattern}” protects it, and other branches too": rule.pattern not in (None, branch) or rule.branches > 1,
        "deployments are required, which could not be put back": rule.requires_deployments,
        "some may force pushes to it, and the list of them could not be put back": rule.force_pushers > 0,
        "its protection is that of a freeze already: say `/unfreeze` first if somebody froze it by a command, else put it right by hand": (
            protection.shuts_out(seen, tools.app.slug) and seen.settings == protection.frozen(tools.app.slug).settings
        ),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise NotRestorable(f"{branch} cannot be frozen, because {'; and '.join(found)} {where}.")
    return seen


async def _write(tools: Tools, repository: Repository, hold: ByProtection) -> None:
    seen = await _read(tools, repository, hold)
    wanted = protection.frozen(tools.app.slug)
    match protection.standing(seen, hold.before, tools.app.slug):
        case Standing.FROZEN:
            return
        case Standing.OTHER:
            raise LeftToPeople(_changed(hold, seen, tools), hold.before)
        case Standing.BEFORE | Standing.BETWEEN:
            if seen.settings != wanted.settings:
                await tools.github.protect(repository, hold.branch, protection.body(wanted))
            if hold.before.signatures:
                await tools.github.unrequire_signatures(repository, hold.branch)


async def _restore(tools: Tools, repository: Repository, hold: ByProtection, *, leave: bool) -> str:
    try:
        seen = await _read(tools, repository, hold)
    except LeftToPeople as unknown:
        # GitHub may come to show something new of every protection, and then nobody could ever make it what it was.
        if leave and not protection.shown_to_shut_out(await tools.github.protection(repository, hold.branch), tools.app.slug):
            return f"It was left as somebody made it. {unknown}"
        raise
    match protection.standing(seen, hold.before, tools.app.slug):
        case Standing.BEFORE:
            return ""
        case Standing.OTHER:
            if leave and not protection.shuts_out(seen, tools.app.slug):
                return f"It was left as somebody made it: {'; '.join(protection.differences(seen, hold.before))}."
            raise LeftToPeople(_changed(hold, seen, tools), hold.before)
        case Standing.FROZEN | Standing.BETWEEN:
            await _put_back(tools, repository, hold, seen)
    after = await _read(tools, repository, hold)
    if after != hold.before:
        raise LeftToPeople(_changed(hold, after, tools), hold.before)
    return ""


async def _put_back(tools: Tools, repository: Repository, hold: ByProtection, seen: KeptProtection) -> None:
    """Write what was there before; while the signatures are set, still nobody else can push."""
    if hold.before == protection.UNPROTECTED:
        await tools.github.unprotect(repository, hold.branch)
        return
    try:
        if hold.before.signatures and not seen.signatures:
            await tools.github.require_signatures(repository, hold.branch)
        await tools.github.protect(repository, hold.branch, protection.body(hold.before))
        if hold.before.signatures and not (await _read(tools, repository, hold)).signatures:
            await tools.github.require_signatures(repository, hold.branch)
    except Refused as refused:
        why = f"GitHub refused to take the protection of {hold.branch} back, so it may still be frozen: {steady(str(refused))}"
        raise LeftToPeople(why, hold.before) from refused


async def _standing(tools: Tools, repository: Repository, hold: ByProtection) -> Standing:
    return protection.standing(await _read(tools, repository, hold), hold.before, tools.app.slug)


async def _read(tools: Tools, repository: Repository, hold: ByProtection) -> KeptProtection:
    try:
        return protection.kept(await tools.github.protection(repository, hold.branch))
    except NotRestorable as reason:
        raise LeftToPeople(f"The classic protection of {hold.branch} was changed: {reason}.", hold.before) from None


def _changed(hold: ByProtection, seen: KeptProtection, tools: Tools) -> str:
    """Word a protection that is neither a freeze nor what was there before."""
    from_ours = "; ".join(protection.differences(seen, protection.frozen(tools.app.slug)))
    from_before = "; ".join(protection.differences(seen, hold.before))
    return (
        f"The classic protection of {hold.branch} is neither my freeze nor what it was before, so I do not write over it. "
        f"Compared with before, {from_before}. Compared with my freeze, {from_ours}."
    )


def _freezing(ref: Ref) -> str:
    return f"freeze {ref} by protection"


def _thawing(ref: Ref) -> str:
    return f"thaw {ref} by protection"


def _numbered(effect: str, number: int) -> str:
    return effect if number == 1 else f"{effect}, time {number}"


async def _newest(tools: Tools, step: str, effect: str) -> tuple[int, Intent]:
    """Return how often an effect was begun in this attempt, and what is known of the latest."""
    number = 0
    latest: Intent = Fresh()
    while not isinstance(known := await tools.door.known(step, _numbered(effect, number + 1)), Fresh):
        number, latest = number + 1, known
    return number, latest


def _parameters(repository: Repository, hold: ByProtection) -> Mapping[str, Json]:
    before: Mapping[str, Json] = {"settings": hold.before.settings, "signatures": hold.before.signatures}
    return {"repository": repository, "ref": hold.ref, "before": before}


def _recorded(intent: Unfinished | Finished) -> KeptProtection:
    before = intent.parameters["before"]
    if not isinstance(before, dict):
        raise UserError("What was written down about a branch's protection cannot be read, so it is not touched.")
    return KeptProtection(settings=str(before["settings"]), signatures=before["signatures"] is True)
