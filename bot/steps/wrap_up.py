"""Tidy up after a release that is upstream and thawed, and thank everybody.

1. The runs on Azure that made it are kept for ever.
2. What it has on python.org is handed out to everybody as it is now.
3. What was put off for it blocks the next release.
4. A branch that began with it gets what the branch before it has.
5. The branch it was cut on is deleted in the manager's fork.
6. What no program can do is listed for people.
7. Its day is proposed to the schedule, and merged there where the bot may.
8. One comment thanks everybody who acted, says where everything is, with the digest of the dossier, and holds drafts to announce it.

None of that may hold a release open: what is refused for certain is left to people, who are told so. An outside system that is in trouble
is waited for.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Final

from bot.desk import Voice
from bot.effects import Nature
from bot.errors import Unavailable, UserError
from bot.journal import Json
from bot.packages import on_pypi
from bot.profile.types import StepName
from bot.release import dossier
from bot.release.course import SETTLED
from bot.release.facts import NOT_SEEN, Fact, Handed
from bot.release.gate import managers
from bot.release.model import Release
from bot.release.outcomes import Evidence, Outcome, Passed, Waiting
from bot.tools import Tools
from bot.words import thanks
from bot.words.thanks import Text
from bot.wrapping_up import announcement, blockers, checklist, fork_branch, new_branch, purge, runs, schedule
from bot.wrapping_up.piece import STEP, Piece, listed, tried, whole

Tidy = Callable[[Release, Tools], Awaitable[tuple[Piece, ...]]]

PIECES: Final[Mapping[str, Tidy]] = {
    "runs on Azure": runs.keep,
    "network in front of python.org": purge.purge,
    "labels of what was put off": blockers.flip,
    "new branch": new_branch.furnish,
    "branch in the fork": fork_branch.delete,
    "checklist": checklist.post,
    "schedule": schedule.propose,
}
"""What is tidied up, in this order, and how it is called where all of it is refused.

The last one waits for GitHub to work out whether it can be merged, which must not hold up the others.
"""


async def advance(release: Release, tools: Tools) -> Outcome:
    """Do all of it once, and end the release; its dossier has to be closed, for the last word holds its digest."""
    if any(run.id == NOT_SEEN and not run.over for run in release.runs):
        why = "An answer to an order of an earlier attempt was lost; its run is looked for, so that the dossier can name it."
        return Waiting(on="the builders", why=why, look_again=tools.poll())
    tidied = await _tidied(release, tools)
    if dossier.closed(release) is None:
        why = "Everything is tidied up but for the last word, which holds the digest of the dossier; that is closed once all else is done."
        return Waiting(on=listed(_unfinished(release)), why=why, look_again=tools.poll())
    said, facts = await _thank(release, tidied, tools)
    left = [piece.what for piece in (*tidied, said) if piece.left]
    digest = dossier.digest(dossier.dossier(release))
    book = Evidence(what="dossier", value=f"sha256:{digest}", url=_dossier_url(release, tools))
    why = f"Left to people: {listed(left)}." if left else "Everything is tidied up."
    return Passed(why=why, evidence=(*(piece.evidence for piece in (*tidied, said)), book), facts=facts)


async def _tidied(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Tidy up, and write down what became of it: while something else is waited for, the world is not asked again and again."""

    async def do() -> Mapping[str, Json]:
        pieces: list[Piece] = []
        silence: Unavailable | None = None
        for what, tidy in PIECES.items():
            try:
                pieces += await whole(what, tidy(release, tools))
            except Unavailable as error:
                # Nothing else has to wait for a system that is in trouble; what was done is found again at the next look.
                silence = silence or error
        if silence:
            raise silence
        return {"pieces": [asdict(piece) for piece in pieces]}

    result = await tools.door(STEP, "tidy up", nature=Nature.REPEATABLE, parameters={}, do=do)
    return tuple(Piece(**piece) for piece in result["pieces"])


def _unfinished(release: Release) -> tuple[str, ...]:
    return tuple(step.name for step in release.steps if step.name != STEP and step.status not in SETTLED)


async def _thank(release: Release, tidied: tuple[Piece, ...], tools: Tools) -> tuple[Piece, tuple[Fact, ...]]:
    """Say the last word. Where nobody may speak any more, the release ends without it."""
    places = thanks.Places(
        release_page=await _release_page(release, tools),
        tag=tools.page(release.repository, "releases", "tag", release.version.tag),
        dossier=_dossier_url(release, tools),
    )
    person = tools.profile.person(release.tag.owner) if release.tag else None
    needed = (Text(title=piece.what, text=piece.text) for piece in tidied if piece.text)
    todo = checklist.for_the_end(release, tools)
    rest = thanks.Rest(
        left=[piece.evidence for piece in tidied if piece.left],
        todo=todo,
        texts=(*needed, *await announcement.drafts(release, places, tools)),
    )
    text = thanks.thanks(release, places, tagger=person.login if person else "", rest=rest)
    issue = tools.page(release.home, "issues", str(release.issue))
    said = await tried("thanks", _said(release, text, tools), "Please thank everybody yourself.", issue)
    where = "" if said.left else f"{issue}#issuecomment-{said.value.removeprefix('comment ')}"
    handed = (*(piece.ask for piece in tidied), announcement.asked(release, tools, where), *todo)
    return said, tuple(Handed(step=STEP, who=managers(release), what=what) for what in handed if what)


async def _said(release: Release, text: str, tools: Tools) -> str:
    voice = Voice(app=tools.app, github=tools.github, home=release.home, issue=release.issue, door=tools.door)
    return f"comment {await voice.say(thanks.about(release), text)}"


async def _release_page(release: Release, tools: Tools) -> str:
    """Return where the release is on PyPI or on python.org, empty for one that is published on neither."""
    if release.has_step(StepName.PYPI):
        return on_pypi.page(release.version)
    if not release.has_step(StepName.PUBLICATION):
        return ""
    try:
        found = await tools.python_org.release(release.version.tag_message)
    except UserError:
        return ""
    return thanks.release_page(found.slug) if found else ""


def _dossier_url(release: Release, tools: Tools) -> str:
    return f"{tools.url}{dossier.path(release)}" if tools.url else ""
