"""Remind people of what no program can do for them after some kinds of release.

Where the release has the step checklist, one comment has a box for each thing, and the step waits until somebody says that all of it is
done. Where it has none, the last word holds the list, and nothing waits for it.
"""

from bot import checklists
from bot.desk import Voice
from bot.profile.types import StepName
from bot.release.gate import managers
from bot.release.model import Release
from bot.tools import Tools
from bot.words import checklist as words
from bot.wrapping_up.piece import Piece, tried


async def post(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Post the comment, once; nothing where nothing is left, or nobody waits for it."""
    todo = checklists.of_the_end(release, tools.profile)
    if not todo or not release.has_step(StepName.CHECKLIST):
        return ()
    text = words.checklist(release, managers(release), todo)
    issue = tools.page(release.home, "issues", str(release.issue))
    return (await tried("checklist", _said(release, tools, text), "Please look into the profile for it.", issue),)


def for_the_end(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return what the last word lists, because no step waits for it."""
    return () if release.has_step(StepName.CHECKLIST) else checklists.of_the_end(release, tools.profile)


async def _said(release: Release, tools: Tools, text: str) -> str:
    voice = Voice(app=tools.app, github=tools.github, home=release.home, issue=release.issue, door=tools.door)
    return f"comment {await voice.say(words.about(release), text)}"
