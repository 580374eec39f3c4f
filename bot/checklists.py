"""What only people can do after some kinds of release, and where they are told: with the publication, or at the end."""

from typing import Final

from bot.profile import Profile
from bot.profile.types import StepName
from bot.release.model import Release
from bot.tools import placeholders

_SITTING: Final = "In the same sitting: "


def of_the_publication(release: Release, profile: Profile) -> str:
    """Return what has to be done in one sitting with the publication, in sentences for the call; empty where nothing is."""
    todo = _items(release, profile, with_publication=True)
    return f" {_SITTING}{' '.join(todo)}" if todo else ""


def of_the_end(release: Release, profile: Profile) -> tuple[str, ...]:
    """Return what is left, in the order of the profile; also what belongs to the publication, where nobody was called for that."""
    told = [act.what for act in release.people if act.step == StepName.PUBLICATION]
    early = _items(release, profile, with_publication=True)
    missed = [item for item in early if not any(item in what for what in told)]
    return tuple(dict.fromkeys((*missed, *_items(release, profile, with_publication=False))))


def _items(release: Release, profile: Profile, *, with_publication: bool) -> tuple[str, ...]:
    places = placeholders(release)
    chosen = (one for one in profile.checklists if one.is_for(release.kind) and one.with_publication is with_publication)
    return tuple(dict.fromkeys(item.format(**places) for one in chosen for item in one.items))
