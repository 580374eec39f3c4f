"""Freeze single refs and lift them again: the one door to both ways of doing it (invariant I3).

By rulesets of the bot's own, which add to what is there and restore it by being deleted; or, for repositories without rulesets, by the
branch's classic protection, which is replaced and put back. The profile's ``[freeze] mode`` chooses for what is frozen next; what is
frozen is lifted in the way in which it was frozen.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

from bot.errors import Refused
from bot.freezing import classic, rulesets
from bot.freezing.holds import NO_RULESET, ByProtection, ByRuleset, Hold, LeftToPeople, hold_of
from bot.freezing.rulesets import PREFIX, is_ours, rule_name
from bot.release.facts import FrozenRef, KeptProtection
from bot.release.ids import Ref, Repository, RulesetId
from bot.release.outcomes import Evidence
from bot.services.github.shapes import RulesetSummary
from bot.tools import Tools

__all__ = [
    "PREFIX",
    "ByRuleset",
    "Hold",
    "LeftToPeople",
    "Record",
    "begun",
    "ended",
    "evidence",
    "freeze",
    "hold_of",
    "holdable",
    "is_ours",
    "lay_again",
    "leftovers",
    "lift",
    "problem",
    "record",
    "refusal",
    "rule_name",
    "rulesets_of",
    "stands",
]


@dataclass(frozen=True, kw_only=True)
class Record:
    """How a hold is remembered."""

    ruleset: RulesetId
    ruleset_name: str
    protection: KeptProtection | None


def record(hold: Hold) -> Record:
    """Return what to remember of a hold."""
    match hold:
        case ByRuleset():
            return Record(ruleset=hold.ruleset, ruleset_name=hold.name, protection=None)
        case ByProtection():
            return Record(ruleset=NO_RULESET, ruleset_name=f"classic protection of {hold.branch}", protection=hold.before)
        case _:
            assert_never(hold)


async def holdable(tools: Tools, repository: Repository, ref: Ref) -> bool:
    """Tell whether a ref can be frozen at all: classic protection holds only branches, and only those that exist."""
    match tools.profile.freeze.mode:
        case "ruleset":
            return True
        case "classic":
            return ref.startswith("refs/heads/") and await tools.github.ref(repository, ref) is not None
        case _:
            assert_never(tools.profile.freeze.mode)


async def refusal(tools: Tools, repository: Repository, ref: Ref) -> str:
    """Return in one sentence why a branch cannot be frozen so that it could be restored, or an empty string.

    Asked before the freeze; while one is under way there is nothing to ask.
    """
    match tools.profile.freeze.mode:
        case "ruleset":
            return ""
        case "classic":
            return "" if await begun(tools, ref, step="freeze") else await classic.refusal(tools, repository, ref)
        case _:
            assert_never(tools.profile.freeze.mode)


async def freeze(tools: Tools, repository: Repository, ref: Ref, name: str, *, step: str, to_come: bool = False) -> Hold:
    """Freeze a ref through the door, or find that it is frozen; ``name`` says whose freeze it is, ``to_come`` that it is not there yet."""
    match tools.profile.freeze.mode:
        case "ruleset":
            return await rulesets.ensure(tools, repository, ref, name, step=step, to_come=to_come)
        case "classic":
            return await classic.ensure(tools, repository, ref, step=step)
        case _:
            assert_never(tools.profile.freeze.mode)


async def begun(tools: Tools, ref: Ref, *, step: str) -> Hold | None:
    """Return a hold by protection that this attempt began, perhaps without remembering it; rulesets are found by their names."""
    return await classic.begun(tools, ref, step=step) if ref.startswith("refs/heads/") else None


async def problem(tools: Tools, repository: Repository, hold: Hold) -> str:
    """Return what is wrong with a hold as the world shows it now, or an empty string."""
    match hold:
        case ByRuleset():
            return await rulesets.problem(tools, repository, hold)
        case ByProtection():
            return await classic.problem(tools, repository, hold)
        case _:
            assert_never(hold)


async def lay_again(tools: Tools, repository: Repository, hold: Hold, *, step: str) -> Hold:
    """Freeze a ref again whose hold was changed or taken away; raise LeftToPeople where that would write over what somebody did."""
    match hold:
        case ByRuleset():
            await rulesets.lift(tools, repository, hold, step=step)
            place = hold.ruleset
            return await rulesets.ensure(tools, repository, hold.ref, hold.name, step=step, to_come=hold.to_come, in_place_of=place)
        case ByProtection():
            return await classic.lay_again(tools, repository, hold, step=step)
        case _:
            assert_never(hold)


async def lift(tools: Tools, repository: Repository, hold: Hold, *, step: str, leave: bool = False) -> str:
    """End a hold; return in one sentence what was left as somebody else made it, if anything.

    ``leave`` says that a person wants that. Raises LeftToPeople where only a person can go on.
    """
    match hold:
        case ByRuleset():
            await rulesets.lift(tools, repository, hold, step=step)
            return ""
        case ByProtection():
            return await classic.lift(tools, repository, hold, step=step, leave=leave)
        case _:
            assert_never(hold)


async def ended(tools: Tools, repository: Repository, hold: Hold) -> str:
    """Return what somebody else did so that a hold no longer holds anybody, as the end of a sentence in Markdown; else an empty string."""
    match hold:
        case ByRuleset():
            return await rulesets.ended(tools, repository, hold)
        case ByProtection():
            return await classic.ended(tools, repository, hold)
        case _:
            assert_never(hold)


async def stands(tools: Tools, repository: Repository, hold: Hold) -> bool:
    """Tell whether something of a hold by protection is in force, without asking what else may have been changed."""
    return isinstance(hold, ByProtection) and await classic.stands(tools, repository, hold)


async def leftovers(tools: Tools, repository: Repository, identity: str) -> list[Hold]:
    """Return the rulesets whose names say that they belong to a release, remembered or not."""
    found = await rulesets_of(tools, repository, include_parents=False)
    refs = ((one, one.name.split(" ")) for one in found if is_ours(one.name, identity))
    return [ByRuleset(ref=Ref(words[1]), ruleset=one.id, name=one.name) for one, words in refs]


async def rulesets_of(tools: Tools, repository: Repository, *, include_parents: bool) -> list[RulesetSummary]:
    """Return the rulesets that hold for a repository; none where the profile says that it has none and GitHub knows of none."""
    try:
        return await tools.github.rulesets(repository, include_parents=include_parents)
    except Refused as refused:
        if tools.profile.freeze.mode == "ruleset" or refused.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise
        return []


def evidence(frozen: FrozenRef, repository: Repository, tools: Tools) -> Evidence:
    """Return what a person can look at."""
    hold = hold_of(frozen)
    match hold:
        case ByRuleset():
            return Evidence(what=f"rule on {hold.ref}", value=hold.name, url=tools.page(repository, "rules", str(hold.ruleset)))
        case ByProtection():
            value = "only this App may push, administrators included; what was there before is put back at the end"
            return Evidence(what=f"classic protection of {hold.branch}", value=value, url=tools.page(repository, "settings", "branches"))
        case _:
            assert_never(hold)
