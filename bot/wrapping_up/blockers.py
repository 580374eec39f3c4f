"""Turn what was put off for a release into blockers of the next one: one label takes the place of another, on every open issue.

https://peps.python.org/pep-0101/ asks for it: change all deferred blockers to release blockers. What names other series alone was not put
off for this release, and may be put off for one of those that is under way.
"""

from collections.abc import Mapping
from typing import Final

from bot.effects import Nature
from bot.journal import Json
from bot.profile.wrap_up import Flip
from bot.release.ids import IssueNumber, Repository
from bot.release.model import Release
from bot.release.version import series_among
from bot.services.github.shapes import Issue
from bot.tools import Tools
from bot.wrapping_up.piece import STEP, Piece, listed, tried

_FLIPPED: Final = "flipped"


async def flip(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Flip the label of every open issue and pull request that had the old one when this was first looked at, but for those of others."""
    rule = tools.profile.wrap_up.flip
    if rule is None:
        return ()
    what = f"{rule.old} to {rule.new}"
    advice = "Please change the label there."
    # The list is written down before anything is changed, so that nothing is flipped that gets the label after this release.
    numbers = await _numbers(release, rule, tools)
    tries = [
        await tried(f"{what}, #{number}", _flip(release.repository, number, rule, tools), advice, _page(release, number, tools))
        for number in numbers
    ]
    good = [f"#{number}" for number, piece in zip(numbers, tries, strict=True) if piece.value == _FLIPPED]
    value = listed(good) if good else "there is none" if not numbers else "none"
    left = [f"#{number}" for number, piece in zip(numbers, tries, strict=True) if piece.left]
    ask = f"Put the label {rule.new} in the place of {rule.old} on {listed(left)}. Nothing waits for it." if left else ""
    return (Piece(what=what, value=value, ask=ask), *(piece for piece in tries if piece.left))


def _page(release: Release, number: IssueNumber, tools: Tools) -> str:
    return tools.page(release.repository, "issues", str(number))


async def _numbers(release: Release, rule: Flip, tools: Tools) -> tuple[IssueNumber, ...]:
    async def do() -> Mapping[str, Json]:
        found = await tools.github.open_issues(release.repository, rule.old)
        return {"issues": [issue.number for issue in found if _concerns(issue, release)]}

    parameters: Mapping[str, Json] = {"repository": release.repository, "label": rule.old}
    result = await tools.door(STEP, f"list {rule.old}", nature=Nature.REPEATABLE, parameters=parameters, do=do)
    return tuple(IssueNumber(number) for number in result["issues"])


def _concerns(issue: Issue, release: Release) -> bool:
    """Tell whether an issue names the series of a release, or none."""
    series = series_among(issue.labels)
    return not series or release.series in series


async def _flip(repository: Repository, number: IssueNumber, rule: Flip, tools: Tools) -> str:
    async def flipped() -> Mapping[str, Json] | None:
        issue = await tools.github.issue(repository, number)
        settled = issue is None or issue.state != "open" or rule.old not in issue.labels
        return {"flipped": issue is not None and rule.new in issue.labels} if settled else None

    async def do() -> Mapping[str, Json]:
        # Somebody may have decided about it since it was listed.
        if (already := await flipped()) is not None:
            return already
        # In this order there is no moment in which it would stop nothing at all.
        await tools.github.add_label(repository, number, rule.new)
        await tools.github.remove_label(repository, number, rule.old)
        return {"flipped": True}

    parameters: Mapping[str, Json] = {"repository": repository, "issue": number, "from": rule.old, "to": rule.new}
    done = await tools.door(STEP, f"flip #{number}", nature=Nature.FINDABLE, parameters=parameters, find=flipped, do=do)
    return _FLIPPED if done["flipped"] else "somebody decided about it meanwhile"
