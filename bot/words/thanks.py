"""The last comment of a release: thanks to everybody who acted, where everything is, how long it took, and what is left to do.

Nobody is mentioned: who acted has heard enough of it, and follows the issue anyhow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from bot.release import dossier
from bot.release.model import HumanAct, Recall, Release, StepStatus
from bot.release.outcomes import Evidence
from bot.release.rows import HALT, OPEN
from bot.words import templates
from bot.words.markdown import code, duration
from bot.words.status import marker

RELEASE_PAGE: Final = "https://www.python.org/downloads/release/{slug}/"
"""Where everybody finds a release: https://github.com/python/pythondotorg/blob/main/apps/downloads/urls.py."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Something for people to take letter by letter: a draft, a difference, commands."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the results of a release are; empty where there is none, or where it is not public."""

    release_page: str = ""
    tag: str = ""
    dossier: str = ""


def release_page(slug: str) -> str:
    """Return the address of a release on python.org, whatever somebody typed there as its slug."""
    return RELEASE_PAGE.format(slug=quote(slug, safe=""))


def about(release: Release) -> str:
    """Return by what the comment is found again."""
    return f"thanks-{release.id}"


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is not done yet when the last word is said.

    ``left`` could not be tidied up, ``todo`` no program can do, and ``texts`` are what people need for it, folded up at the end.
    """

    left: Sequence[Evidence] = ()
    todo: Sequence[str] = ()
    texts: Sequence[Text] = ()


def thanks(release: Release, places: Places, *, tagger: str, rest: Rest) -> str:
    """Return the comment; ``tagger`` is the login of whoever made the tag."""
    end = dossier.closed(release)
    known = acted(release, tagger)
    return templates.render(
        "thanks.md.j2",
        release=release,
        marker=marker(release.id),
        about=about(release),
        names=_listed([code(login) for login in known]),
        others=[" or ".join(code(login) for login in who) for who in asked(release, known)],
        took=duration(end - release.opened) if end else "",
        asks=len(_wishes(release)),
        places=places,
        digest=dossier.digest(dossier.dossier(release)),
        steps=[step for step in release.steps if step.name != dossier.AFTERWARDS and step.ended],
        rest=rest,
    )


def acted(release: Release, tagger: str) -> tuple[str, ...]:
    """Return the logins of those who are known to have acted, in the order in which they did first."""
    decided = (one for one in dossier.decisions(release) if not isinstance(one, Recall))
    said = [one.by.login for one in sorted(decided, key=lambda one: one.at)]
    alone = [act.who[0] for act in _fulfilled(release) if len(act.who) == 1]
    return tuple(dict.fromkeys(login for login in (release.starter.login, tagger, *said, *alone) if login))


def asked(release: Release, known: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return who was asked together for something that was done, where none of them is known to have acted."""
    groups = (act.who for act in _fulfilled(release) if len(act.who) > 1)
    return tuple(dict.fromkeys(who for who in groups if not set(who) & set(known)))


def _wishes(release: Release) -> tuple[HumanAct, ...]:
    """Return what people were asked for: nobody was asked to start the release, and a halt is no work."""
    return tuple(act for act in dossier.people(release) if act.step not in (OPEN, HALT))


def _fulfilled(release: Release) -> tuple[HumanAct, ...]:
    """Return what people did, so that a step passed; what was only closed by a halt or with its attempt nobody did."""
    halts = {act.since for act in release.people if act.step == HALT}
    return tuple(act for act in _wishes(release) if act.done and act.done not in halts and _passed(release, act, act.done))


def _passed(release: Release, act: HumanAct, done: datetime) -> bool:
    """Tell whether the step of a row passed, in the attempt in which that was done."""
    past = next((one for one in release.past if done <= one.ended), None)
    if past is not None and done == past.ended:
        return False
    steps = past.steps if past else release.steps
    return any(step.name == act.step and step.status is StepStatus.PASSED for step in steps)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
