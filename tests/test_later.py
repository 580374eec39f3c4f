"""After its end a release is watched: what was published is looked at some times more, and two persons end that."""

from dataclasses import replace
from datetime import timedelta

from bot import obeying
from bot.command_types import Abort, Halt, Retry
from bot.command_types import Done as SaysDone
from bot.release import later
from bot.release.ids import CommentId, TagId
from bot.release.later import Difference, Found
from bot.release.model import Alarm, Deferral, Release, ReleaseState
from bot.release.published import Ended, FileRead, PublicationSeen
from bot.release.rows import RECALL
from tests.release_builders import APPROVER, LATER, MANAGER, NOW, SOON, STARTER, declined, done, obeyed, order

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
TIMES = (HOUR, DAY, WEEK)

READ = FileRead(url="https://www.python.org/ftp/python/3.15.0/x", at=NOW, ended=Ended.READ, sha256="a" * 64)
MISSING = FileRead(url="https://www.python.org/ftp/python/3.15.0/y", at=NOW, ended=Ended.MISSING)
OTHER = Difference(key="k", what="It is another one")


def out() -> Release:
    """Return a release that was pushed now, and confirmed before."""
    seen = PublicationSeen(rows="d its own entry", first=NOW, again=NOW, right=True, files=(READ,))
    return replace(done(), pushed=NOW, publication=seen, approvers=(STARTER, MANAGER, APPROVER))


def looked(release: Release, seconds: float, **found: object) -> Release:
    """Return the release after a complete look so long after its push."""
    return later.seen(release, Found(began=NOW + timedelta(seconds=seconds), **found))  # type: ignore[arg-type]  # the fields of what is found


# --- when


def test_each_time_is_due_once_and_counted_from_the_push() -> None:
    release, due = out(), []
    while (at := later.due(release, TIMES)) is not None:
        due.append((at - NOW).total_seconds())
        release = looked(release, due[-1])
    assert due == [HOUR, DAY, WEEK]


def test_one_look_does_for_all_times_that_are_past() -> None:
    assert later.due(looked(out(), DAY + 1), TIMES) == NOW + timedelta(seconds=WEEK)
    assert later.due(looked(out(), WEEK + 1), TIMES) is None
    assert later.due(out(), ()) is None


def test_only_what_went_well_and_was_confirmed_is_watched() -> None:
    seen = out().publication
    assert seen is not None
    unwatched = (
        replace(out(), state=ReleaseState.RUNNING),
        replace(out(), publication=None),
        replace(out(), publication=replace(seen, again=None)),
        replace(out(), publication=replace(seen, files=())),
        replace(out(), pushed=None),
    )
    assert [later.due(release, TIMES) for release in unwatched] == [None] * len(unwatched)


# --- what was seen


def test_what_could_not_be_read_is_read_later_and_goes_on_where_it_was() -> None:
    release = later.silent(later.silent(out(), NOW, try_again=SOON, known=(READ,)), SOON, try_again=LATER, known=(READ, MISSING))
    assert (release.later.silent, release.later.known, later.due(release, TIMES)) == (NOW, (READ, MISSING), LATER)
    ended = looked(release, HOUR, read=(READ, MISSING))
    assert (ended.later.silent, ended.later.try_again) == (None, None)
    assert ended.later.known == (MISSING,), "what is not handed out is not asked for by the clock"


def test_a_difference_is_fresh_once_and_what_followed_stays() -> None:
    release = looked(out(), HOUR, differences=(OTHER,), news=("One followed",), rows=("d one",), files=(READ,))
    assert later.fresh(release, (OTHER, replace(OTHER, key="l"))) == (replace(OTHER, key="l"),)
    again = looked(release, DAY, differences=(OTHER,), rows=("e two",))
    assert (again.later.keys, again.later.rows, again.later.files) == (("k",), "d one\ne two", (READ,))
    assert [look.differences for look in again.later.looks] == [("It is another one",)] * 2


def test_an_alarm_is_told_once() -> None:
    alarm = Alarm(about="changed-1", text="Help!")
    release = later.alarmed(later.alarmed(out(), alarm), replace(alarm, text="Help again!"))
    assert later.untold(release) == (alarm,)
    assert later.untold(later.told(release, "another")) == (alarm,)
    assert later.untold(later.told(release, "changed-1")) == ()


# --- what people say


def test_who_asks_has_everything_read_at_once() -> None:
    release = obeyed(later.read_again(looked(out(), WEEK + 1, read=(MISSING,))))
    assert release.later.known == ()
    assert later.due(release, TIMES) == NOW
    unheard = later.silent(release, SOON, try_again=LATER, known=())
    assert later.due(unheard, TIMES) == LATER, "that somebody asked is no reason for a storm"


def test_what_was_put_off_is_told_afterwards_with_its_hash() -> None:
    deferral = Deferral(name="macos", by=STARTER, tag=TagId("a" * 40), reason="x", at=NOW, comment=CommentId(1))
    release = replace(out(), deferrals=(deferral,))
    assert "was not put off" in declined(later.followed(out(), order(), name="macos", sha256="b" * 64))
    assert "SHA-256 of the file is missing" in declined(later.followed(release, order(), name="macos", sha256=""))
    once = obeyed(later.followed(release, order(), name="macos", sha256="b" * 64))
    twice = obeyed(later.followed(once, order(), name="macos", sha256="c" * 64))
    assert [work.sha256 for work in twice.later.hand_work] == ["c" * 64]
    assert twice.hand_work == release.hand_work, "the dossier is closed"
    assert later.due(twice, TIMES) == NOW


def test_two_persons_end_the_watch() -> None:
    first = obeyed(later.recall(out(), order(), "It is cursed."))
    assert later.watched(first)
    (row,) = [act for act in first.people if act.step == RECALL]
    assert (row.who, row.done) == (("pablogsal", "ned-deily"), None)
    assert "you did already" in declined(later.recall(first, order(), "It is cursed."))
    both = obeyed(later.recall(first, order(by=APPROVER), "It really is"))
    assert both.later.ended == "hugovk and ned-deily recalled it: It really is"
    assert all(act.done for act in both.people if act.step == RECALL)
    assert later.due(both, TIMES) is None
    for answer in (
        later.recall(both, order(), "x"),
        later.read_again(both),
        later.followed(both, order(), name="macos", sha256="b" * 64),
    ):
        assert "nobody looks at it any more" in declined(answer)
    alone = obeyed(later.recall(replace(out(), approvers=(STARTER,)), order(), "x"))
    assert alone.people[-1].who == ("hugovk", "pablogsal"), "somebody has to be asked"


def test_other_commands_are_refused_as_ever() -> None:
    answers = [obeying.afterwards(out(), one, order()) for one in (Halt(reason="x"), Retry(step="tag"), SaysDone(name="withdraw"))]
    assert answers == [None] * 3
    assert "was not put off" in declined(obeying.afterwards(out(), SaysDone(name="macos"), order()) or later.read_again(out()))
    assert obeyed(obeying.afterwards(out(), Abort(reason="x"), order()) or later.read_again(out())).later.recalls
