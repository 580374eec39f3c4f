"""Which expert is asked for what, who stands in for whom, and what is put off."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot import obeying
from bot.authority import Role
from bot.command_types import Done as SaysDone
from bot.profile import Profile, load
from bot.profile.types import StepName
from bot.release import later, plan
from bot.release.course import StepSpec, align
from bot.release.facts import Build, Built
from bot.release.gate import results_digest
from bot.release.ids import CommentId, TagId, UserId
from bot.release.model import Actor, Deferral, HandWork, HumanAct, Release, ReleaseState, StepStatus
from bot.release.orders import defer, done
from bot.release.outcomes import NeedsPerson, Passed
from bot.release.published import PublicationSeen
from bot.steps import hand
from bot.tools import Tools, logins, placeholders
from bot.words import status as words
from tests.profile_text import GOOD, refusal, written
from tests.release_builders import LATER, NOW, SOON, a_tag, declined, obeyed, opened, order, passed, statuses, waited_for

PROFILE = load("cpython")
PROFILE_MANAGERS = logins(PROFILE.people_with(Role.RELEASE_MANAGER))
RUN = "https://dev.azure.com/Python/cpython/_build/results?buildId=1001"

EXPERTS = """
[[person]]
login = "winnie"
id = 0
name = "Winnie"
roles = ["windows-expert"]

[[person]]
login = "steady"
id = 4
name = "Steady"
stands_in_for = ["Winnie"]

[[person]]
login = "mac"
id = 5
name = "Mac"
roles = ["macos-expert", "approver"]
stands_in_for = ["winnie"]
"""


def asked(name: StepName, release: Release, profile: Profile = PROFILE, *managers: str) -> NeedsPerson | Passed:
    """Return what a step done by hand answers; ``managers`` are the logins of who may make this release."""
    of_release = tuple(person for person in profile.people if person.login in managers)
    few = SimpleNamespace(
        profile=profile,
        experts=lambda role: logins(profile.people_with(role)),
        managers=lambda _: of_release,
        placeholders=placeholders,
        page=lambda *parts: "/".join(["https://github.com", *parts]),
        poll=lambda: SOON,
    )
    outcome = hand.outcome(name, release, cast("Tools", few))
    assert isinstance(outcome, NeedsPerson | Passed)
    return outcome


def built(release: Release | None = None) -> Release:
    """Return a release for which Windows was built."""
    tag = a_tag()
    build = Build(step="windows", tag=tag.object, commit=tag.commit, files=(), url=RUN, at=NOW)
    return replace(release or opened(), tag=tag, builds=(build,))


# ---- who is asked for what ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "role"), [("macos", "macos-expert"), ("store", "windows-expert"), ("checklist", "release-manager")])
def test_each_step_done_by_hand_is_somebodys(step: str, role: str) -> None:
    assert PROFILE.experts[step] == Role(role)


def test_the_store_is_asked_for_with_the_run_the_page_and_the_screenshots() -> None:
    wish = asked(StepName.STORE, built())
    assert isinstance(wish, NeedsPerson)
    assert (wish.who, wish.say) == (("zooba",), "/release done store")
    assert f"msixupload: {RUN}&view=artifacts" in wish.what
    assert "Partner Center: https://partner.microsoft.com" in wish.what
    assert "renew the screenshots there, so that the version they show is 3.15.0a3" in wish.what
    assert [one.url for one in wish.evidence if one.what == "Partner Center"] == ["https://partner.microsoft.com"]


def test_what_is_left_for_the_manager_calls_those_of_the_release_and_no_other_managers() -> None:
    outcome = asked(StepName.CHECKLIST, built(), PROFILE, "hugovk")
    assert isinstance(outcome, NeedsPerson)
    assert outcome.who == ("hugovk",)
    nobody = asked(StepName.CHECKLIST, built())
    assert isinstance(nobody, NeedsPerson)
    assert nobody.who == PROFILE_MANAGERS, "somebody has to be called"


def test_nobody_is_sent_to_a_run_that_does_not_count() -> None:
    wish = asked(StepName.STORE, replace(built(), builds=()))
    assert isinstance(wish, NeedsPerson)
    assert "msixupload" not in wish.what


# ---- stand-ins ---------------------------------------------------------------------------------------------------------------------------


def stood_in(tmp_path: Path) -> Profile:
    return load(written(tmp_path, GOOD + EXPERTS))


def test_a_stand_in_is_called_beside_the_expert_and_may_do_what_they_may(tmp_path: Path) -> None:
    profile = stood_in(tmp_path)
    assert logins(profile.people_with(Role.WINDOWS_EXPERT)) == ("winnie", "steady", "mac")
    assert logins(profile.people_with(Role.MACOS_EXPERT)) == ("mac",)
    assert profile.roles_of(UserId(4)) == {Role.WINDOWS_EXPERT}
    assert profile.roles_of(UserId(5)) == {Role.WINDOWS_EXPERT, Role.MACOS_EXPERT, Role.APPROVER}
    assert (profile.stands_in(UserId(4), Role.WINDOWS_EXPERT), profile.stands_in(UserId(5), Role.MACOS_EXPERT)) == (("Winnie",), ())


def test_an_expert_whose_number_nobody_knows_is_no_hindrance_where_somebody_stands_in(tmp_path: Path) -> None:
    work = {StepName.STORE: PROFILE.hand[StepName.STORE]}
    wish = asked(StepName.STORE, built(), stood_in(tmp_path).model_copy(update={"hand": work}))
    assert isinstance(wish, NeedsPerson)
    assert wish.who == ("winnie", "steady", "mac")
    assert "account number" not in wish.what
    alone = asked(StepName.STORE, built())
    assert isinstance(alone, NeedsPerson)
    assert "the account number of nobody who could tell me" in alone.what


def test_that_somebody_stood_in_is_told(tmp_path: Path) -> None:
    profile = stood_in(tmp_path).model_copy(update={"hand": {StepName.STORE: PROFILE.hand[StepName.STORE]}})
    word = HandWork(name="store", by=Actor(id=UserId(4), login="steady"), tag="a" * 40, sha256="", at=NOW, comment=CommentId(1))
    outcome = asked(StepName.STORE, replace(built(), hand_work=(word,)), profile)
    assert (
        outcome.why == f"steady, who stands in for Winnie, says that it is done for {'a' * 40}." if isinstance(outcome, Passed) else False
    )


@pytest.mark.parametrize("who", ["nobody", "octocat", "steady"])
def test_nobody_stands_in_for_strangers_or_for_people_in_another_office(tmp_path: Path, who: str) -> None:
    text = refusal(tmp_path, GOOD + EXPERTS.replace('["Winnie"]', f'["{who}"]'))
    assert "line 27: person[3].stands_in_for: " in text
    assert f"steady cannot stand in for {who}: write the login of another expert, one of winnie, mac" in text


# ---- several steps done by hand at once ------------------------------------------------------------------------------------------------

NAMES = ("macos", "go", "push", "thaw", "store", "checklist")
SPECS = tuple(
    StepSpec(name=name, needs=needs) for name, needs in zip(NAMES, ((), ("macos",), ("go",), ("push",), ("go",), ("thaw",)), strict=True)
)


def upstream() -> Release:
    """Return a release that is upstream, while two steps are still to be done by hand."""
    release = align(replace(opened(), tag=a_tag(), steps=()), SPECS)
    for name in NAMES[:4]:
        release = plan.apply(release, name, passed(), NOW)
    for name in NAMES[4:]:
        wish = NeedsPerson(who=(f"expert for {name}",), what=f"Do {name}.", say=f"/release done {name}", look_again=SOON)
        release = plan.apply(release, name, wish, SOON)
    return release


def test_every_step_done_by_hand_has_a_row_of_its_own_and_the_release_ends_with_the_last() -> None:
    release = upstream()
    assert waited_for(release) == ["checklist", "store"]
    for name in ("store", "checklist"):
        assert release.state is ReleaseState.RUNNING
        release = obeyed(done(release, order(at=LATER), name=name, sha256="", wants_hash=False))
        release = plan.apply(release, name, passed(), LATER)
    assert release.state is ReleaseState.DONE
    assert waited_for(release) == []


def row(step: str, *who: str, say: str = "", told: int = 0) -> HumanAct:
    return HumanAct(step=step, who=who, what=f"Do {step}.", say=say, since=NOW, told=told, told_at=NOW if told else None)


def test_who_has_several_things_to_do_by_hand_is_called_once() -> None:
    rows = (
        row("store", "zooba", say="/release done store"),
        row("macos", "ned-deily", say="/release done macos SHA256"),
        row("checklist", "zooba", say="/release done checklist"),
        row("windows-publish", "zooba"),
        row("other", "zooba", say="/release done other", told=1),
    )
    assert words.together(rows, range(5)) == ((0, 2), (1,), (3,), (4,))
    assert words.together(rows, [2, 4]) == ((2,), (4,)), "a reminder says that it is one"
    text = words.call(opened(), [rows[0], rows[2]], "call-1")
    assert text.count("@zooba") == 1
    assert [line for line in text.splitlines() if line.startswith(("Do ", "/release"))] == [
        "Do store.",
        "/release done store",
        "Do checklist.",
        "/release done checklist",
    ]
    assert "a reminder" not in text
    assert "a reminder, because this waits for you since" in words.call(opened(), [rows[4]], "call-2")


def test_what_is_done_by_hand_after_the_go_is_no_part_of_it() -> None:
    release = upstream()
    before = results_digest(release)
    said = obeyed(done(release, order(at=LATER), name="store", sha256="", wants_hash=False))
    tag = a_tag()
    made = plan.learn(said, Built(build=Build(step="store", tag=tag.object, commit=tag.commit, files=(), url="", at=LATER)), LATER)
    put_off = obeyed(defer(release, order(at=LATER), name="checklist", reason="tomorrow"))
    assert {results_digest(one) for one in (said, made, put_off)} == {before}
    assert results_digest(obeyed(defer(made_before_go(), order(at=LATER), name="macos", reason="tomorrow"))) != before


def made_before_go() -> Release:
    release = align(replace(opened(), tag=a_tag(), steps=()), SPECS)
    return plan.apply(release, "macos", NeedsPerson(who=("ned-deily",), what="Build.", look_again=SOON), SOON)


# ---- what is put off ---------------------------------------------------------------------------------------------------------------------


def test_the_store_may_be_put_off_and_the_release_ends_without_it() -> None:
    release = obeyed(defer(upstream(), order(at=LATER), name="store", reason="the Store is down"))
    outcome = asked(StepName.STORE, release)
    assert isinstance(outcome, Passed)
    assert outcome.why == "hugovk lets the release go on without it, it follows later: the Store is down"
    release = plan.apply(plan.apply(release, "store", outcome, LATER), "checklist", passed(), LATER)
    assert (release.state, statuses(release)["store"]) == (ReleaseState.DONE, StepStatus.PASSED)


def test_what_was_put_off_and_makes_no_file_follows_without_a_hash_and_nothing_is_read_again() -> None:
    deferral = Deferral(name="store", by=Actor(id=UserId(1), login="hugovk"), tag=TagId("a" * 40), reason="x", at=NOW, comment=CommentId(1))
    seen = PublicationSeen(rows="r", first=NOW, again=NOW + timedelta(minutes=5), right=True)
    out = replace(upstream(), state=ReleaseState.DONE, deferrals=(deferral,), publication=seen, pushed=NOW)
    release = obeyed(obeying.afterwards(out, SaysDone(name="store"), order(), PROFILE.without_file) or later.read_again(out))
    assert ([work.name for work in release.later.hand_work], release.later.asked) == (["store"], False)
    hashed = obeying.afterwards(out, SaysDone(name="store", sha256="b" * 64), order(), PROFILE.without_file)
    assert "it takes no hash" in declined(hashed or later.read_again(out))
    assert PROFILE.without_file == {"store", "checklist"}
