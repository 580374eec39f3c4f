"""The last comment of a release: thanks to everybody who acted, where everything is, how long it took, and what is left to do.

Nobody is mentioned: who acted has heard enough of it, and follows the issue anyhow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.release import dossier
from bot.release.model import Release
from bot.release.outcomes import Evidence
from bot.words import templates
from bot.words.markdown import code, duration
from bot.words.status import marker


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the results of a release are; empty where there is none, or where it is not public."""

    release_page: str = ""
    tag: str = ""
    dossier: str = ""


def about(release: Release) -> str:
    """Return by what the comment is found again."""
    return f"thanks-{release.id}"


def thanks(release: Release, places: Places, *, tagger: str, left: Sequence[Evidence]) -> str:
    """Return the comment; ``tagger`` is the login of whoever made the tag, ``left`` is what could not be tidied up."""
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
        asks=len(dossier.people(release)),
        places=places,
        digest=dossier.digest(dossier.dossier(release)),
        steps=[step for step in release.steps if step.name != dossier.AFTERWARDS and step.ended],
        left=left,
    )


def acted(release: Release, tagger: str) -> tuple[str, ...]:
    """Return the logins of those who are known to have acted, in the order in which they did first."""
    said = [one.by.login for one in sorted(dossier.decisions(release), key=lambda one: one.at)]
    alone = [act.who[0] for act in dossier.people(release) if act.done and len(act.who) == 1]
    return tuple(dict.fromkeys(login for login in (release.starter.login, tagger, *said, *alone) if login))


def asked(release: Release, known: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return who was asked together for something that was done, where none of them is known to have acted."""
    groups = (act.who for act in dossier.people(release) if act.done and len(act.who) > 1)
    return tuple(dict.fromkeys(who for who in groups if not set(who) & set(known)))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
