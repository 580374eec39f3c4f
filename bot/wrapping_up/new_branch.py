"""Give a branch that began with the first beta what the branch before it has: its rules, its protection, and its labels.

1. Each ruleset that names the branch before is copied for the new one; the original stays as it is, since it may be anybody's.
2. Classic protection is copied where the branch before has any and the new one has none.
3. Labels are made after those of the series before, with their colours and descriptions.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from bot.effects import Nature
from bot.errors import Refused
from bot.freezing import PREFIX
from bot.freezing.protection import body, differences, kept, shuts_out
from bot.journal import Json
from bot.profile.wrap_up import NewBranch
from bot.release.facts import KeptProtection
from bot.release.ids import Ref, branch_ref
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.github.labels import Label
from bot.services.github.shapes import Ruleset, RulesetDraft
from bot.tools import Tools
from bot.wrapping_up.piece import STEP, Piece, tried

PLAIN: Final = "ededed"
"""The colour of a label for which there is no pattern, as GitHub gives it to those that nobody gave one."""


def before(series: str) -> str:
    """Return the series before one, such as 3.14 before 3.15."""
    major, _, minor = series.partition(".")
    return f"{major}.{int(minor) - 1}"


async def furnish(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Give the new branch what it has to have; nothing after any other release than a first beta."""
    wanted = tools.profile.wrap_up.new_branch
    if wanted is None or release.kind is not Kind.FIRST_BETA:
        return ()
    series, older = release.version.series, before(release.version.series)
    known = tools.profile.series
    pattern = _Pattern(release, tools, known[older].branch if older in known else older, known[series].branch)
    protection = (*await pattern.rules(), *await pattern.protection()) if wanted.protect else ()
    return (*protection, *await _labels(release, wanted, older, tools))


# --- what protects it


class _Pattern:
    """The branch before, and the new one that gets what it has."""

    def __init__(self, release: Release, tools: Tools, old: str, new: str) -> None:
        self._repository = release.repository
        self._tools = tools
        self._old = old
        self._new = new
        self._url = tools.page(release.repository, "settings", "rules")

    async def rules(self) -> tuple[Piece, ...]:
        """Copy every ruleset of the repository that names the branch before."""
        found = []
        for summary in await self._tools.github.rulesets(self._repository, include_parents=False):
            whole = await self._tools.github.ruleset(self._repository, summary.id) if summary.target == "branch" else None
            if whole is not None and names(whole, branch_ref(self._old)):
                found.append(whole)
        advice = f"Please see to it that {self._new} is protected like {self._old}."
        pieces = [await tried(f"rules “{one.name}”", self._copied(one), advice, self._url) for one in found]
        return tuple(pieces)

    async def _copied(self, ruleset: Ruleset) -> str:
        wanted = copied(ruleset, self._old, self._new)

        async def there() -> Mapping[str, Json] | None:
            for one in await self._tools.github.rulesets(self._repository, include_parents=False):
                if one.name == wanted.name:
                    return {"id": one.id}
            return None

        async def do() -> Mapping[str, Json]:
            return await there() or {"id": (await self._tools.github.create_ruleset(self._repository, wanted)).id}

        parameters: Mapping[str, Json] = {"repository": self._repository, "pattern": ruleset.id, "name": wanted.name}
        await self._tools.door(STEP, f"copy rules {ruleset.id}", nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)
        return f"copied for {self._new} as “{wanted.name}”"

    async def protection(self) -> tuple[Piece, ...]:
        """Copy the classic protection of the branch before, where it has any."""
        url = self._tools.page(self._repository, "settings", "branches")
        advice = f"Please protect {self._new} like {self._old}."
        return (await tried(f"protection of {self._new}", self._protected(), advice, url),)

    async def _protected(self) -> str:
        pattern = kept(await self._tools.github.protection(self._repository, self._old))
        if not pattern.settings:
            return f"{self._old} has none beside the rules"
        if shuts_out(pattern, self._tools.app.slug):
            raise Refused(f"{self._old} is frozen itself, so that nobody can see how it is protected otherwise.")

        async def there() -> Mapping[str, Json] | None:
            return {"protected": True} if await self._seen() == pattern else None

        async def do() -> Mapping[str, Json]:
            seen = await self._seen()
            # What somebody gave it meanwhile is not written over, but for what is missing of our own writing.
            if seen.settings and seen.settings != pattern.settings:
                raise Refused(f"{self._new} is protected already, and otherwise: {', '.join(differences(seen, pattern))}.")
            if not seen.settings:
                await self._tools.github.protect(self._repository, self._new, body(pattern))
            if pattern.signatures:
                await self._tools.github.require_signatures(self._repository, self._new)
            return {"protected": True}

        parameters: Mapping[str, Json] = {"repository": self._repository, "branch": self._new, "pattern": self._old}
        await self._tools.door(STEP, f"protect {self._new}", nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)
        return f"like that of {self._old}"

    async def _seen(self) -> KeptProtection:
        return kept(await self._tools.github.protection(self._repository, self._new))


def names(ruleset: Ruleset, ref: Ref) -> bool:
    """Tell whether a ruleset names a ref letter by letter, and is no freeze, which somebody holds only for a while."""
    return ref in ruleset.conditions.include and not ruleset.name.startswith(f"{PREFIX} ")


def copied(ruleset: Ruleset, old: str, new: str) -> RulesetDraft:
    """Return the ruleset that protects the new branch as this one protects the old; raise Refused where it cannot be copied whole."""
    if ruleset.bypass_actors is None:
        raise Refused("GitHub does not show who may pass it, so it cannot be copied.")
    if ruleset.enforcement not in ("active", "disabled"):
        raise Refused(f"it is neither in force nor switched off ({ruleset.enforcement}), so it is not copied.")
    name = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w|\.\d)", new, ruleset.name)
    return RulesetDraft(
        name=name if name != ruleset.name else f"{ruleset.name} ({new})",
        target="branch",
        enforcement="active" if ruleset.enforcement == "active" else "disabled",
        include=(branch_ref(new),),
        exclude=(),
        rules=ruleset.rules,
        bypass_actors=ruleset.bypass_actors,
    )


# --- labels


async def _labels(release: Release, wanted: NewBranch, older: str, tools: Tools) -> tuple[Piece, ...]:
    places = tools.placeholders(release)
    pairs = [(label.format(**{**places, "series": older}), label.format(**places)) for label in wanted.labels]
    url = tools.page(release.repository, "labels")
    return tuple([await tried(f"label {new}", _label(release, old, new, tools), "Please make it.", url) for old, new in pairs])


async def _label(release: Release, old: str, new: str, tools: Tools) -> str:
    repository = release.repository

    async def there() -> Mapping[str, Json] | None:
        return {"name": new} if await tools.github.label(repository, new) is not None else None

    async def do() -> Mapping[str, Json]:
        pattern = await tools.github.label(repository, old) or Label(name=old, color=PLAIN)
        return await there() or {"name": (await tools.github.create_label(repository, after(pattern, old, new))).name}

    parameters: Mapping[str, Json] = {"repository": repository, "label": new, "pattern": old}
    await tools.door(STEP, f"label {new}", nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)
    return "there"


def after(pattern: Label, old: str, new: str) -> Label:
    """Return a label after the pattern of another one, whose description names the new series where it named the old."""
    changed = [(one, other) for one, other in zip(old.split(), new.split(), strict=False) if one != other]
    return replace(pattern, name=new, description=_replaced(pattern.description, changed))


def _replaced(text: str, changed: Iterable[tuple[str, str]]) -> str:
    for one, other in changed:
        text = re.sub(rf"(?<![\w.]){re.escape(one)}(?!\w|\.\d)", other, text)
    return text
