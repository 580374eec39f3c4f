"""The dossier of a release: all that is known of it, closed before the wrap-up, the same for ever."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.release import dossier, plan
from bot.release.facts import NOT_SEEN, Build, BuiltFile, Checked, PublicationSeen, Run
from bot.release.ids import CommentId
from bot.release.model import (
    Acknowledgement,
    Approval,
    Deferral,
    Go,
    HandWork,
    HumanAct,
    Recall,
    Release,
    ReleaseState,
    StepState,
    StepStatus,
    Waiver,
)
from bot.release.outcomes import Evidence
from bot.release.rows import CANCEL, HALT, OPEN, WITHDRAW, closed, left_running
from bot.state import dump, load
from bot.words import thanks
from tests.release_builders import (
    APPROVER,
    HEAD,
    LATER,
    MANAGER,
    NOW,
    SOON,
    STARTER,
    a_tag,
    done,
    needs,
    opened,
    passed,
    to_be_waived,
    until,
    waiting,
)

SAID = CommentId(77)
MOVED = NOW + timedelta(seconds=10)
END = NOW + timedelta(hours=2, minutes=5)

RULES = Evidence(what="rules of this release", value="none left")
RUN = Run(
    step="windows",
    purpose="build",
    number=1,
    attempt=1,
    id=1001,
    name="Release_v3.15.0a3_20261120.01",
    url="https://dev.azure.com/Python/cpython/_build/results?buildId=1001",
    ordered=(("SourceTag", "v3.15.0a3"), ("DoPublish", "false")),
    at=SOON,
)


def full() -> Release:
    """Return a release that has everything, and is about to be wrapped up."""
    tag = a_tag()
    release = done()
    return replace(
        release,
        state=ReleaseState.RUNNING,
        attempt=2,
        steps=(
            *(replace(step, began=NOW, ended=END if step.name == "thaw" else LATER, evidence=(RULES,)) for step in release.steps),
            StepState(name="windows", status=StepStatus.PASSED, began=NOW, ended=LATER),
            StepState(name="windows-publish", status=StepStatus.NOT_APPLICABLE, why="A security release does not have this step."),
            StepState(name="wrap-up"),
        ),
        past=plan.next_attempt(until("push"), "the tag was moved", MOVED).past,
        checked=(Checked(step="preflight", subject=HEAD, findings=(replace(to_be_waived(), subject=("#1",)),)),),
        approvals=(Approval(by=STARTER, tag=tag.object, plan="p" * 12, at=SOON, comment=SAID),),
        acknowledgements=(Acknowledgement(by=STARTER, digest="f" * 12, at=SOON, comment=SAID),),
        waivers=(Waiver(by=APPROVER, check="blockers", sha=HEAD, digest="e" * 12, reason="It can wait.", at=SOON, comment=SAID),),
        go=Go(by=MANAGER, tag=tag.object, results="r" * 12, at=SOON, comment=SAID),
        hand_work=(HandWork(name="macos", by=APPROVER, tag=tag.object, sha256="5" * 64, at=SOON, comment=SAID),),
        deferrals=(Deferral(name="android", by=STARTER, tag=tag.object, reason="Tomorrow.", at=SOON, comment=SAID),),
        recalls=(Recall(by=STARTER, reason="A bad file.", at=SOON, comment=SAID),),
        runs=(RUN,),
        builds=(
            Build(
                step="source",
                tag=tag.object,
                commit=tag.commit,
                files=(BuiltFile(name="Python-3.15.0a3.tgz", sha256="6" * 64, size=5),),
                url="https://github.com/python/release-tools/actions/runs/1",
                at=SOON,
            ),
            Build(step="macos", tag=tag.object, commit=tag.commit, files=(), url="", at=SOON),
        ),
        publication=PublicationSeen(rows="d" * 12, first=SOON, again=LATER, right=True),
        people=(
            HumanAct(step=OPEN, who=("hugovk",), what="Start the release.", since=NOW, done=NOW),
            HumanAct(step=HALT, who=("barry",), what="It is halted.", since=NOW, done=SOON),
            HumanAct(step="tag", who=("hugovk",), what="Cut it.", since=NOW, done=SOON),
            HumanAct(step="windows", who=("zooba",), what="Sign it.", since=NOW, done=SOON),
            HumanAct(step="windows", who=("anna", "ben"), what="Sign it again.", since=NOW, done=SOON),
            HumanAct(step="preflight", who=("hugovk", "ned-deily"), what="Waive it.", since=NOW, done=SOON),
        ),
    )


def digest(release: Release) -> str:
    return dossier.digest(dossier.dossier(release))


def test_the_dossier_holds_everything() -> None:
    document = dossier.dossier(full())
    assert {name: document[name] for name in ("version", "kind", "outcome", "opened", "closed", "seconds", "attempt", "pushed")} == {
        "version": "3.15.0a3",
        "kind": "alpha",
        "outcome": "released",
        "opened": "2026-11-20T12:30:00Z",
        "closed": "2026-11-20T14:35:00Z",
        "seconds": 7500,
        "attempt": 2,
        "pushed": "2026-11-20T12:30:00Z",
    }
    assert document["tag"]["object"] == "a" * 40
    assert [line["new"] for line in document["plan"]] == ["a" * 39 + "0", "a" * 40]
    hugo, said = {"id": 1, "login": "hugovk"}, {"at": "2026-11-20T12:31:00Z", "comment": 77}
    ned = {"id": 3, "login": "ned-deily"}
    assert document["approvals"] == [{"by": hugo, **said, "tag": "a" * 40, "plan": "p" * 12}]
    assert document["acknowledgements"] == [{"by": hugo, **said, "findings": "f" * 12}]
    [waiver] = document["waivers"]
    assert waiver == {"by": ned, **said, "check": "blockers", "sha": HEAD, "findings": "e" * 12, "reason": "It can wait."}
    assert document["go"] == {"by": {"id": 2, "login": "pablogsal"}, **said, "tag": "a" * 40, "results": "r" * 12}
    assert document["hand_work"] == [{"by": ned, **said, "step": "macos", "tag": "a" * 40, "sha256": "5" * 64}]
    assert document["deferrals"] == [{"by": hugo, **said, "step": "android", "tag": "a" * 40, "reason": "Tomorrow."}]
    assert document["recalls"] == [{"by": hugo, **said, "reason": "A bad file."}]
    [run] = document["runs"]
    assert (run["id"], run["ordered"]) == (1001, {"SourceTag": "v3.15.0a3", "DoPublish": "false"})
    assert document["builds"][0]["files"] == [{"name": "Python-3.15.0a3.tgz", "sha256": "6" * 64, "size": 5}]
    assert document["builds"][1]["url"] is None
    assert document["publication"]["again"] == "2026-11-20T13:30:00Z"
    assert document["checks"][0]["findings"][0]["subjects"] == ["#1"]
    [past] = document["earlier_attempts"]
    assert (past["attempt"], past["why"], past["tag"]["object"], past["head"]) == (1, "the tag was moved", "a" * 40, HEAD)
    thaw = next(step for step in document["steps"] if step["step"] == "thaw")
    assert (thaw["state"], thaw["seconds"]) == ("passed", 7500)
    assert thaw["evidence"] == [{"what": "rules of this release", "value": "none left", "url": None}]
    assert document["people"][3] == {
        "step": "windows",
        "who": ["zooba"],
        "what": "Sign it.",
        "since": "2026-11-20T12:30:00Z",
        "done": "2026-11-20T12:31:00Z",
        "seconds": 60,
    }


def keys(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of every key in a document."""
    for key, one in value.items() if isinstance(value, dict) else ((f"{path}[]", one) for one in value) if isinstance(value, list) else ():
        place = key if isinstance(value, list) else f"{path}.{key}"
        yield place
        yield from keys(one, place)


def test_the_keys_of_a_format_never_change() -> None:
    """Every digest that was ever published depends on them: let other keys be another format, and keep writing the old one as it was."""
    known = "\n".join(sorted(set(keys(dossier.dossier(full())))))
    assert dossier.FORMAT == 1
    assert hashlib.sha256(known.encode()).hexdigest() == "2ab67836be82445cd9f394c465c5532487e0f3e32cd25aa0c9426d007f207d34", known


def test_the_digest_is_that_of_the_bytes_and_survives_the_database() -> None:
    text = dossier.written(dossier.dossier(full()))
    assert hashlib.sha256(text.encode()).hexdigest() == digest(full()) == digest(load(dump(full())))
    assert json.loads(text) == dossier.dossier(full())


AFTERWARDS: dict[str, Callable[[Release], Release]] = {
    "it ends": lambda release: plan.apply(release, "wrap-up", passed(), LATER + timedelta(hours=9)),
    "it waits": lambda release: plan.apply(release, "wrap-up", waiting(), LATER + timedelta(hours=9)),
    "somebody is asked": lambda release: plan.apply(release, "wrap-up", needs("Look.", say="x"), LATER + timedelta(hours=9)),
    "somebody halts it": lambda release: plan.halted(release, "Wait.", STARTER, END + timedelta(seconds=1)),
    "somebody approves it once more": lambda release: replace(
        release, approvals=(*release.approvals, replace(release.approvals[0], at=END + timedelta(seconds=1)))
    ),
    "a run of an earlier attempt ends": lambda release: replace(release, runs=(replace(RUN, over=True),)),
    "the status is edited": lambda release: replace(release, status_comment=SAID, status_revision=9, heard=(SAID,)),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_nothing_that_comes_after_the_end_changes_it(what: str) -> None:
    after = AFTERWARDS[what](full())
    assert after != full()
    assert digest(after) == digest(full())


AFTER = END + timedelta(minutes=5)

CLOSED_LATE: dict[str, Callable[[Release], Release]] = {
    "the run is over": lambda release: left_running(release, [], AFTER),
    "another run has to be cancelled": lambda release: left_running(release, ["Please cancel the run 2."], AFTER),
    "the release is done": lambda release: plan.apply(release, "wrap-up", passed(), AFTER),
    "somebody halts it": lambda release: plan.halted(release, "Wait.", STARTER, AFTER),
}


@pytest.mark.parametrize("what", CLOSED_LATE)
def test_a_row_that_is_closed_after_the_end_stays_open_in_the_dossier(what: str) -> None:
    release = left_running(replace(full(), runs=(replace(RUN, over=True),)), ["Please cancel the run 1."], SOON)
    after = CLOSED_LATE[what](release)
    assert [act.done for act in after.people if act.what == "Please cancel the run 1."] == [AFTER]
    assert digest(after) == digest(release)
    [row] = [one for one in dossier.dossier(after)["people"] if one["step"] == CANCEL]
    assert (row["what"], row["done"], row["seconds"]) == ("Please cancel the run 1.", None, None)


def test_what_is_withdrawn_of_an_aborted_release_does_not_change_its_dossier() -> None:
    aborted = plan.apply(plan.aborting(replace(full(), runs=(), pushed=None), "A bad file.", STARTER, AFTER), "thaw", needs(), AFTER)
    aborted = plan.apply(aborted, "thaw", passed(), AFTER + timedelta(minutes=1))
    assert aborted.state is ReleaseState.ABORTED
    withdrawn = replace(aborted, people=tuple(closed(act, AFTER + timedelta(hours=1)) for act in aborted.people))
    assert withdrawn != aborted
    assert digest(withdrawn) == digest(aborted)
    assert [one["done"] for one in dossier.dossier(withdrawn)["people"] if one["step"] == WITHDRAW] == [None]


def test_a_dossier_is_not_closed_before_every_run_is_known() -> None:
    lost = replace(RUN, id=NOT_SEEN, name="windows queue build 1", url="")
    assert dossier.closed(replace(full(), runs=(lost,))) is None
    assert dossier.closed(replace(full(), runs=(replace(lost, over=True),))) == END
    assert dossier.closed(replace(full(), runs=(RUN,))) == END


def test_the_dossier_of_a_release_under_way_is_open() -> None:
    for release in (opened(), until("approve"), until("thaw")):
        assert dossier.closed(release) is None
        document = dossier.dossier(release)
        assert (document["outcome"], document["closed"], document["seconds"]) == ("under way", None, None)
    asked = plan.apply(until("approve"), "approve", needs(), LATER)
    assert dossier.dossier(asked)["people"][-1]["done"] is None


def test_an_aborted_release_has_a_dossier_too() -> None:
    started = plan.align(replace(opened(), manager=None), [plan.StepSpec(name="freeze"), plan.StepSpec(name="thaw")])
    aborting = plan.aborting(started, "a blocker", STARTER, SOON)
    assert dossier.closed(aborting) is None
    aborted = plan.apply(aborting, "thaw", passed(), LATER)
    document = dossier.dossier(aborted)
    assert aborted.state is ReleaseState.ABORTED
    assert (document["outcome"], document["closed"], document["manager"]) == ("aborted", "2026-11-20T13:30:00Z", None)


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    release = full()
    early = replace(release, people=(HumanAct(step="tag", who=("hugovk",), what="Cut it.", since=SOON, done=NOW),))
    assert dossier.dossier(early)["people"][0]["seconds"] == 0


# --- the last word


PLACES = thanks.Places(
    release_page="https://www.python.org/downloads/release/python-3150a3/",
    tag="https://github.com/python/cpython/releases/tag/v3.15.0a3",
    dossier="https://bot.example/releases/cpython/3.15.0a3/dossier.json",
)


def test_everybody_who_acted_is_thanked_and_nobody_is_mentioned() -> None:
    left = Evidence(what="branch x", value="left as it is: @everybody may look.", url="https://github.com/hugovk/cpython/branches")
    text = thanks.thanks(full(), PLACES, tagger="hugovk", left=(left,))
    assert text.splitlines()[:2] == [
        "<!-- brother-maynard release=cpython-3.15.0a3-42 -->",
        "<!-- about=thanks-cpython-3.15.0a3-42 -->",
    ]
    assert "cpython 3.15.0a3 is out" in text
    assert "Thank you, `hugovk`, `ned-deily`, `pablogsal` and `zooba`, and whoever it was of `anna` or `ben`!" in text
    assert "@e" not in text
    assert "It took 2 h 5 min from the first word to the open branch. People were asked for 4 things, in 2 attempts." in text
    assert f"| Release page | {PLACES.release_page} |" in text
    assert f"[v3.15.0a3]({PLACES.tag}), object `{'a' * 40}`" in text
    assert f"]({PLACES.dossier}), SHA-256 `{digest(full())}` |" in text
    assert "| thaw | took 2 h 5 min |" in text
    assert "- branch x: left as it is: @\N{ZERO WIDTH SPACE}everybody may look. [Look](https://github.com/hugovk/cpython/branches)" in text


SHUT: dict[str, HumanAct] = {
    "by a halt": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=SOON),
    "with its attempt": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=MOVED),
    "without its step": HumanAct(step="windows-publish", who=("barry",), what="Publish it.", since=NOW, done=LATER),
    "by nobody": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW),
    "after the end": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=END + timedelta(seconds=1)),
    "for no step": HumanAct(step=CANCEL, who=("barry",), what="Cancel it.", since=NOW, done=LATER),
    "in an attempt that did not come so far": HumanAct(step="push", who=("barry",), what="Mend it.", since=NOW, done=NOW),
}


@pytest.mark.parametrize("how", SHUT)
def test_nobody_is_thanked_for_what_was_only_closed(how: str) -> None:
    halt = HumanAct(step=HALT, who=("ned-deily",), what="It is halted.", since=SOON, done=LATER)
    for who in (("barry",), ("barry", "guido")):
        release = replace(full(), people=(halt, replace(SHUT[how], who=who)))
        text = thanks.thanks(release, PLACES, tagger="", left=())
        assert "barry" not in text
        assert "People were asked for 1 thing," in text


def test_what_was_done_in_an_earlier_attempt_counts() -> None:
    act = HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=NOW + timedelta(seconds=5))
    assert "barry" in thanks.acted(replace(full(), people=(act,)), "")


def test_whoever_wanted_to_recall_is_not_thanked_for_it() -> None:
    recall = replace(full().recalls[0], by=replace(STARTER, login="barry"))
    assert "barry" not in thanks.acted(replace(full(), recalls=(recall,)), "")


def test_the_address_of_a_release_is_one_whatever_its_slug() -> None:
    assert thanks.release_page("python-3150a3") == PLACES.release_page
    odd = thanks.release_page("a|b](https://evil.example)/.. @everybody?#`<é")
    page = "https://www.python.org/downloads/release/"
    assert odd == f"{page}a%7Cb%5D%28https%3A%2F%2Fevil.example%29%2F..%20%40everybody%3F%23%60%3C%C3%A9/"
    text = thanks.thanks(full(), replace(PLACES, release_page=odd), tagger="", left=())
    assert f"| Release page | {odd} |" in text


def test_a_release_that_publishes_nothing_is_upstream() -> None:
    bare = replace(full(), past=(), people=full().people[:3], hand_work=(), deferrals=(), waivers=(), recalls=(), go=None)
    text = thanks.thanks(bare, thanks.Places(tag=PLACES.tag), tagger="", left=())
    assert "cpython 3.15.0a3 is upstream" in text
    assert "Thank you, `hugovk`!" in text
    assert "People were asked for 1 thing.\n" in text
    assert f"| Dossier | SHA-256 `{digest(bare)}` |" in text
    assert "Release page" not in text
    assert "Left for people" not in text


def test_without_an_end_no_time_is_told() -> None:
    assert "It took" not in thanks.thanks(opened(), thanks.Places(), tagger="", left=())
