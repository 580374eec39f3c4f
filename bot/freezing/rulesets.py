"""Freeze single refs by rulesets of our own and lift them again; nobody else's protection is ever touched (invariant I3).

A ruleset only adds to the protection that is there, and deleting it restores what was before exactly:
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets
"""

from collections.abc import Mapping
from typing import Final

from bot.effects import Nature
from bot.errors import Refused
from bot.freezing.holds import ByRuleset
from bot.journal import Json
from bot.release.ids import IssueNumber, Ref, Repository, RulesetId
from bot.services.github.shapes import BypassActor, Rule, Ruleset, RulesetDraft
from bot.tools import Tools
from bot.words.markdown import code

PREFIX: Final = "release-freeze"
BRANCH_RULES: Final = ("update", "deletion", "non_fast_forward")
TAG_RULES: Final = ("creation", "update", "deletion")
TO_COME_RULES: Final = ("creation", "update", "deletion")
"""What holds a branch that does not exist yet."""
ALREADY_TAKEN: Final = 422


def rule_name(ref: Ref, issue: IssueNumber, identity: str) -> str:
    """Return the name of the ruleset that freezes a ref: it says which issue and which release hold the freeze."""
    return f"{PREFIX} {ref} #{issue} {identity}"


def is_ours(name: str, identity: str) -> bool:
    """Tell whether a ruleset's name says that it belongs to this release."""
    return name.startswith(f"{PREFIX} ") and name.endswith(f" {identity}")


def draft(ref: Ref, name: str, app: int, *, to_come: bool = False) -> RulesetDraft:
    """Return the ruleset that lets only this App move the ref, or make the branch ``to_come``."""
    branch = ref.startswith("refs/heads/")
    return RulesetDraft(
        name=name,
        target="branch" if branch else "tag",
        enforcement="active",
        include=(ref,),
        exclude=(),
        rules=tuple(Rule(type=rule) for rule in _rules(ref, to_come=to_come)),
        bypass_actors=(BypassActor(actor_id=app, actor_type="Integration", bypass_mode="always"),),
    )


def _rules(ref: Ref, *, to_come: bool) -> tuple[str, ...]:
    if not ref.startswith("refs/heads/"):
        return TAG_RULES
    return TO_COME_RULES if to_come else BRANCH_RULES


async def ensure(
    tools: Tools, repository: Repository, ref: Ref, name: str, *, step: str, to_come: bool = False, in_place_of: RulesetId | None = None
) -> ByRuleset:
    """Return the hold by the ruleset of that name, creating it through the door if it is not there.

    ``to_come`` is a branch that does not exist yet; ``in_place_of`` is the one it takes the place of, which must be gone.
    """
    wanted = draft(ref, name, tools.app.id, to_come=to_come)

    async def find() -> Mapping[str, Json] | None:
        for ruleset in await tools.github.rulesets(repository, include_parents=False):
            if ruleset.name == name:
                return {"id": ruleset.id}
        return None

    async def create() -> Mapping[str, Json]:
        try:
            made = await tools.github.create_ruleset(repository, wanted)
        except Refused as refusal:
            # Names are unique: somebody may hold it because our own earlier request was answered into a broken connection.
            there = await find() if refusal.status == ALREADY_TAKEN else None
            if there is None:
                raise
            return there
        return {"id": made.id}

    parameters: Mapping[str, Json] = {"repository": repository, "ref": ref, "name": name, "rules": [rule.type for rule in wanted.rules]}
    effect = f"freeze {ref}" if in_place_of is None else f"freeze {ref} in place of {in_place_of}"
    result = await tools.door(step, effect, nature=Nature.FINDABLE, parameters=parameters, find=find, do=create)
    return ByRuleset(ref=ref, ruleset=RulesetId(result["id"]), name=name, to_come=to_come)


async def problem(tools: Tools, repository: Repository, hold: ByRuleset) -> str:
    """Return what is wrong with our ruleset as the world shows it now, or an empty string."""
    ref, name = hold.ref, hold.name
    ruleset = await tools.github.ruleset(repository, hold.ruleset)
    if ruleset is None:
        return f"the ruleset “{name}” is gone."
    differing = _differences(ruleset, draft(ref, name, tools.app.id, to_come=hold.to_come))
    if differing:
        return f"the ruleset “{name}” has another {' and another '.join(differing)} than it was given."
    if ref.startswith("refs/heads/"):
        effective = await tools.github.branch_rules(repository, ref.removeprefix("refs/heads/"))
        missing = set(_rules(ref, to_come=hold.to_come)) - {rule.type for rule in effective if rule.ruleset == hold.ruleset}
        if missing:
            return f"GitHub does not apply the rules {', '.join(sorted(missing))} to the branch yet."
    return ""


async def ended(tools: Tools, repository: Repository, hold: ByRuleset) -> str:
    """Return that our ruleset is gone, in Markdown, or an empty string."""
    ruleset = await tools.github.ruleset(repository, hold.ruleset)
    there = ruleset is not None and ruleset.name == hold.name
    return "" if there else f"the ruleset {code(hold.name)} is gone."


def _differences(seen: Ruleset, wanted: RulesetDraft) -> list[str]:
    pairs = {
        "name": (seen.name, wanted.name),
        "target": (seen.target, wanted.target),
        "enforcement": (seen.enforcement, wanted.enforcement),
        "list of refs": ((seen.conditions.include, seen.conditions.exclude), (wanted.include, wanted.exclude)),
        "set of rules": ({rule.type for rule in seen.rules}, {rule.type for rule in wanted.rules}),
        "list of actors who may pass": (seen.bypass_actors, wanted.bypass_actors),
        "answer to whether this App may pass": (seen.current_user_can_bypass, "always"),
    }
    return [what for what, (is_now, should_be) in pairs.items() if is_now != should_be]


async def lift(tools: Tools, repository: Repository, hold: ByRuleset, *, step: str) -> None:
    """Delete one ruleset of ours, if it is still there and still carries our name."""
    ruleset, name = hold.ruleset, hold.name

    async def gone() -> Mapping[str, Json] | None:
        present = await tools.github.ruleset(repository, ruleset)
        return {"deleted": ruleset} if present is None or present.name != name else None

    async def delete() -> Mapping[str, Json]:
        if await gone() is None:
            await tools.github.delete_ruleset(repository, ruleset)
        return {"deleted": ruleset}

    parameters: Mapping[str, Json] = {"repository": repository, "ruleset": ruleset, "name": name}
    await tools.door(step, f"thaw {ruleset}", nature=Nature.FINDABLE, parameters=parameters, find=gone, do=delete)
