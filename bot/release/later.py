"""What happens to a release after its end: what was published is read again several times. Pure.

1. It is due when the profile says so, counted from the push; one look does for all times that are past. Somebody may ask for a look.
2. What differs from what was confirmed is told once; what follows later by agreement is news, and from then on has to stay as it is.
3. What could not be read is read later, and what is not handed out only when somebody asks for it.
4. Two persons together recall a release that is out; then nobody watches any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.release.gate import managers
from bot.release.model import Alarm, HandWork, HumanAct, Look, Recall, Release, ReleaseState
from bot.release.orders import Answer, Declined, Done, Order
from bot.release.published import Ended, FileRead
from bot.release.rows import RECALL, closed

PUBLICATION: Final = "publication"

REMEMBERED: Final = 20
"""How many looks are kept: those by the clock, and the latest that were asked for."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something that is not as it was confirmed; ``key`` is the same as long as it is the same thing.

    ``address`` is what has to be purged once the file is right there, empty where nothing has to.
    """

    key: str
    what: str
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one complete look found; ``rows`` and ``files`` are what followed by agreement, and what became of every file is ``read``."""

    began: datetime
    differences: tuple[Difference, ...] = ()
    news: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    files: tuple[FileRead, ...] = ()
    read: tuple[FileRead, ...] = ()


# --- when


def watched(release: Release) -> bool:
    """Tell whether what was published is still looked at."""
    return is_out(release) and not release.later.ended


def is_out(release: Release) -> bool:
    """Tell whether a release went well, and was confirmed byte by byte."""
    seen = release.publication
    return release.state is ReleaseState.DONE and seen is not None and seen.again is not None and bool(seen.files)


def due(release: Release, times: Sequence[float]) -> datetime | None:
    """Return when to look next, None when nothing more is to be looked at; ``times`` are seconds since the push."""
    later, pushed = release.later, release.pushed
    if pushed is None or not watched(release):
        return None
    if later.asked:
        return pushed
    moments = (pushed + timedelta(seconds=seconds) for seconds in times)
    return later.try_again or min((one for one in moments if later.looked is None or one > later.looked), default=None)


# --- what was seen


def silent(release: Release, now: datetime, *, try_again: datetime, known: tuple[FileRead, ...]) -> Release:
    """Return the release after a look that could not be ended; it goes on later with what is ``known``."""
    since = release.later.silent or now
    return replace(release, later=replace(release.later, silent=since, try_again=try_again, known=known, asked=False))


def fresh(release: Release, differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Return those for which no alarm was raised yet."""
    return tuple(one for one in differences if one.key not in release.later.keys)


def seen(release: Release, found: Found) -> Release:
    """Return the release after a look that came to its end."""
    later = release.later
    look = Look(at=found.began, differences=tuple(one.what for one in found.differences), news=found.news)
    return replace(
        release,
        later=replace(
            later,
            looked=found.began,
            looks=(*later.looks, look)[-REMEMBERED:],
            asked=False,
            try_again=None,
            silent=None,
            # What is not handed out is never asked for by the clock: asking keeps it hidden from everybody.
            known=tuple(one for one in found.read if one.ended is not Ended.READ),
            rows="\n".join([*later.rows.splitlines(), *found.rows]),
            files=(*later.files, *found.files),
            keys=(*later.keys, *(one.key for one in fresh(release, found.differences))),
        ),
    )


def alarmed(release: Release, alarm: Alarm) -> Release:
    """Return the release with something to tell, unless it has that already."""
    if any(one.about == alarm.about for one in release.later.alarms):
        return release
    return _with(release, alarms=(*release.later.alarms, alarm))


def told(release: Release, about: str) -> Release:
    """Return the release that has told something."""
    return _with(release, alarms=tuple(replace(one, told=True) if one.about == about else one for one in release.later.alarms))


def untold(release: Release) -> tuple[Alarm, ...]:
    """Return what has to be told."""
    return tuple(one for one in release.later.alarms if not one.told)


def _with(release: Release, *, alarms: tuple[Alarm, ...]) -> Release:
    return replace(release, later=replace(release.later, alarms=alarms))


# --- what people say


def read_again(release: Release) -> Answer:
    """Have everything read again at once, also what was not handed out."""
    if release.later.ended:
        return _ended(release)
    return Done(release=replace(release, later=replace(release.later, known=(), asked=True)), what="asked to read the publication again")


def followed(release: Release, order: Order, *, name: str, sha256: str, wants_hash: bool = True) -> Answer:
    """Take an expert's word on what follows later; ``wants_hash``: with the SHA-256 of their file, which is then looked for."""
    if release.later.ended:
        return _ended(release)
    deferral = next((one for one in release.deferrals if one.name == name), None)
    if deferral is None:
        return Declined(why=f"{release.version} is released, and {name} was not put off, so nothing of it follows.")
    if wants_hash and not sha256:
        return Declined(why=f"The SHA-256 of the file is missing: write `/release done {name} SHA256`.")
    if sha256 and not wants_hash:
        return Declined(why=f"{name} makes no file that could be compared, so it takes no hash: write `/release done {name}`.")
    work = HandWork(name=name, by=order.by, tag=deferral.tag, sha256=sha256, at=order.at, comment=order.comment)
    kept = tuple(one for one in release.later.hand_work if one.name != name)
    later = replace(release.later, hand_work=(*kept, work), asked=release.later.asked or wants_hash)
    said = f"did {name} for {deferral.tag} {sha256}".strip()
    return Done(release=replace(release, later=later), what=f"{said}, afterwards")


def recall(release: Release, order: Order, reason: str) -> Answer:
    """End the watch over a release that is out and withdrawn; that takes two."""
    if release.later.ended:
        return _ended(release)
    wish = Recall(by=order.by, reason=reason, at=order.at, comment=order.comment)
    first = next(iter(release.later.recalls), None)
    if first is None:
        others = tuple(actor.login for actor in release.approvers if actor.id != order.by.id) or managers(release)
        what = (
            f"{order.by.login} wants to recall {release.version}, which is out ({reason}). A second person has to agree: say "
            "`/release abort REASON`. What is upstream stays there; what python.org shows of it is then not looked at any more."
        )
        row = HumanAct(step=RECALL, who=others, what=what, say="/release abort REASON", since=order.at)
        asked = replace(release, later=replace(release.later, recalls=(wish,)), people=(*release.people, row))
        return Done(release=asked, what=f"asked to recall it after its end: {reason}")
    if first.by.id == order.by.id:
        return Declined(why=f"{release.version} is out, so a second person has to say `/release abort REASON` too; you did already.")
    ended = f"{first.by.login} and {order.by.login} recalled it: {reason}"
    rows = tuple(closed(act, order.at) if act.step == RECALL else act for act in release.people)
    later = replace(release.later, recalls=(first, wish), ended=ended)
    return Done(release=replace(release, later=later, people=rows), what=f"recalled it after its end: {reason}")


def _ended(release: Release) -> Declined:
    return Declined(why=f"{release.version} is finished, and nobody looks at it any more: {release.later.ended}.")
