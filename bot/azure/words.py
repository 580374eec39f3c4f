"""What is said about runs on Azure Pipelines: by whom, since when, and with foreign words made harmless."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from bot.authority import Role
from bot.release.model import Release
from bot.release.outcomes import Evidence
from bot.services.answers import one_line
from bot.services.azure_devops import shapes as azure
from bot.services.azure_devops.shapes import Stage, WorkState
from bot.tools import Tools, logins

MOST_SENTENCES: Final = 8
"""How many sentences of the service are passed on: a broken build repeats itself."""

_LONGEST: Final = 250

MARK: Final = "release-bot-"
"""How the tag begins that says on Azure for which attempt of which release a run is."""


def later(tools: Tools) -> datetime:
    """Return when to look again: by the profile, but not before the service wants to be asked."""
    poll, wish = tools.poll(), tools.azure.not_before
    return max(poll, wish) if wish else poll


def quoted(text: str, limit: int = 60) -> str:
    """Return a foreign name or remark for the middle of a sentence: on one line, as a span in which nothing acts."""
    inside = one_line(text, limit).replace("`", "'").strip()
    return f"`{inside}`" if inside else "(nothing)"


def sentences(said: Iterable[str]) -> tuple[str, ...]:
    """Return the first of many foreign sentences, each on one line and with an end, without those that repeat another one."""
    different = tuple(dict.fromkeys(one_line(sentence, _LONGEST) for sentence in said))
    ended = tuple(sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}." for sentence in different if sentence)
    more = len(ended) - MOST_SENTENCES
    return (*ended[:MOST_SENTENCES], f"There are {more} more such sentences.") if more > 0 else ended


def moment(at: datetime) -> str:
    """Return a time for the middle of a sentence."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def listed(parts: Iterable[str]) -> str:
    """Return parts of a sentence in a row."""
    *most, last = list(parts) or ["nobody"]
    return f"{', '.join(most)} and {last}" if most else last


def experts(release: Release, tools: Tools, asked: Iterable[azure.Identity] = ()) -> tuple[str, ...]:
    """Return who sees to runs: the experts for Windows, and everybody whose name on Azure is asked; the managers where there is nobody."""
    names = {identity.login.casefold() for identity in asked if identity.login}
    approvers = (person.login for person in tools.profile.people if person.azure.casefold() in names)
    return tuple(dict.fromkeys((*tools.experts(Role.WINDOWS_EXPERT), *approvers))) or logins(tools.managers(release))


def evidence(run: azure.Run, stages: Iterable[Stage], tools: Tools) -> tuple[Evidence, ...]:
    """Return the link to a run, and how far each of its stages is."""
    url = tools.azure.page(run.id)
    state = run.result.value if run.result else run.status.value
    head = (Evidence(what="run", value=f"{run.name}: {state}", url=url), Evidence(what="queued by", value=run.requested_by.name))
    return (*head, *(Evidence(what=f"stage {stage.name}", value=_state(stage), url=url) for stage in stages))


def _state(stage: Stage) -> str:
    state = stage.result.value if stage.state is WorkState.COMPLETED and stage.result else stage.state.value
    waits = " for an approval" if stage.approvals else ""
    again = f", try {stage.attempt}" if stage.attempt > 1 else ""
    return f"{state}{waits}{again}"
