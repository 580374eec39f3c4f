"""What the day of a release makes of the files that tell it: the dates, and the PEP that lists them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.profile.wrap_up import Schedule
from bot.wrapping_up.release_dates import Made, NotUnderstood, difference, edited
from bot.wrapping_up.release_pep import agreeing, pep_of

Texts = Mapping[str, str]
"""Files by their paths; one that is not there, or is no text, is left out."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The files as they have to be; ``by_hand`` says why people have to see to the PEP, which then is as it was, and is empty otherwise."""

    texts: Texts
    by_hand: str = ""


def pep_path(place: Schedule, dates: str, series: str) -> str:
    """Return where the PEP of a series is, empty where the profile names none; raise NotUnderstood where the dates do not tell it."""
    return place.pep.replace("{pep}", f"{pep_of(dates, series):04}") if place.pep else ""


def wanted(place: Schedule, texts: Texts, made: Made) -> Wanted:
    """Return what a release makes of the files; raise NotUnderstood for dates that only people can edit."""
    after = edited(texts[place.path], made)
    dates = {**texts, place.path: after}
    try:
        return Wanted(texts={**dates, **_pep(place, texts, after, made.version.series)})
    except NotUnderstood as why:
        return Wanted(texts=dates, by_hand=str(why))


def _pep(place: Schedule, texts: Texts, after: str, series: str) -> Texts:
    """Return the PEP as the dates are now, nothing where the profile names none; raise NotUnderstood for one that only people can edit."""
    before = texts[place.path]
    path = pep_path(place, before, series)
    if path and path not in texts:
        raise NotUnderstood(f"there is no text at {path}.")
    return {path: agreeing(texts[path], before, after, series)} if path else {}


def changed(before: Texts, after: Texts) -> tuple[str, ...]:
    """Return the paths of what differs, in their order."""
    return tuple(path for path in after if after[path] != before.get(path))


def differences(before: Texts, after: Texts) -> str:
    """Return what has to be changed, as ``git apply`` takes it."""
    return "\n".join(difference(before[path], after[path], path) for path in changed(before, after))
