"""Which artifacts of a package release become public: what people say, and what it takes to take it back."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.release import course, orders, plan, stages
from bot.release.course import StepSpec
from bot.release.facts import Build, Built, BuiltFile, Checked, Froze, FrozenRef, Planned, PlannedRef, Tag, TagProved, TagSeen
from bot.release.gate import valid_go
from bot.release.ids import CommitId, RulesetId, TagId, UserId, tag_ref
from bot.release.model import Release, ReleaseState, StepStatus
from bot.release.outcomes import Evidence, NeedsPerson
from bot.release.version import Kind, Version
from tests.release_builders import APPROVER, LATER, NOW, STARTER, VALID_FOR, declined, obeyed, opened, order, passed, ready, waited_for

NAMES: Final = ("preflight", "freeze", "package-tag", "approve", "package-build", "package-release", "pypi", "push", "thaw")
SPECS: Final = tuple(StepSpec(name=name, needs=NAMES[:number][-1:]) for number, name in enumerate(NAMES))
VERSION: Final = Version.parse("1.30.0", package="azure-core")
REF: Final = tag_ref(VERSION.tag)
OTHER: Final = "azure-mgmt-core"


def a_tag(letter: str = "a") -> Tag:
    commit, fork = CommitId(letter * 39 + "0"), opened().repository
    return Tag(object=TagId(letter * 40), commit=commit, name=VERSION.tag, fork=fork, owner=UserId(99), content="")


def pinned(tag: Tag) -> tuple[object, ...]:
    planned = Planned(plan=(PlannedRef(ref=REF, old=None, new=tag.object),))
    return (TagSeen(tag=tag), TagProved(tag=tag), Checked(step="package-tag", subject=tag.object, findings=()), planned)


def built(tag: Tag, digest: str = "1") -> Built:
    files = (BuiltFile(name="azure_core-1.30.0.tar.gz", sha256=digest * 64, size=1),)
    return Built(build=Build(step="package-build", tag=tag.object, commit=tag.commit, files=files, url="https://azure", at=NOW))


def asks(*artifacts: str) -> NeedsPerson:
    evidence = tuple(Evidence(what=f"stage {artifact}", value="waits for an approval") for artifact in artifacts)
    return NeedsPerson(who=(STARTER.login,), what="Shall it be released?", evidence=evidence, look_again=LATER)


def to_decide() -> Release:
    """Return a release whose package was built, and whose stages wait."""
    tag = a_tag()
    release = replace(opened(), version=VERSION, kind=Kind.PACKAGE, series="azure-core", manager=None, steps=())
    release = course.align(release, SPECS, approvers=(STARTER, APPROVER))
    frozen = FrozenRef(ref=REF, head=None, since=NOW, ruleset=RulesetId(8), ruleset_name="tag")
    for name, facts in {
        "preflight": (Checked(step="preflight", subject="c" * 40, findings=()),),
        "freeze": (Froze(refs=(frozen,)),),
        "package-tag": pinned(tag),
        "approve": (),
        "package-build": (built(tag),),
    }.items():
        release = plan.apply(release, name, passed(*facts), NOW)  # type: ignore[arg-type]  # the facts of one step are of several kinds
    return plan.apply(release, "package-release", asks("azure-core", OTHER), NOW)


def decided(release: Release, artifact: str = "azure-core", *, approved: bool = True) -> Release:
    return obeyed(stages.decide(release, order(), artifact, approved=approved))


def test_what_is_said_about_the_own_artifact_is_the_go() -> None:
    release = to_decide()
    assert stages.waiting(release) == ("azure-core", OTHER)
    after = decided(release)
    go = valid_go(after)
    assert go is not None
    assert (go.by, go.tag) == (STARTER, a_tag().object)
    assert orders.valid_approval(after, NOW, VALID_FOR) is not None
    decision = stages.decided(after, "azure_core")
    assert decision is not None
    assert (decision.approved, decision.login) == (True, STARTER.login)


def test_another_artifact_is_kept_back_and_never_let_go() -> None:
    release = to_decide()
    after = decided(release, OTHER, approved=False)
    assert after.go is None
    assert "start another one" in declined(stages.decide(release, order(), OTHER, approved=True))
    assert "has rejected azure-mgmt-core already" in declined(stages.decide(after, order(), OTHER, approved=False))


def test_a_word_that_means_nothing_is_declined() -> None:
    release = to_decide()
    assert "those are azure-core, azure-mgmt-core" in declined(stages.decide(release, order(), "azure-storage", approved=True))
    assert "has approved azure-core already" in declined(stages.decide(decided(release), order(), "azure-core", approved=True))
    early = replace(release, steps=tuple(replace(step, status=StepStatus.PENDING) for step in release.steps))
    assert "Nothing waits to be released yet" in declined(stages.decide(early, order(), "azure-core", approved=True))
    assert "this release has none" in declined(stages.decide(opened(), order(), "azure-core", approved=True))


def test_who_wrote_before_it_was_asked_cannot_have_meant_it() -> None:
    late = order(said=NOW - timedelta(minutes=1), at=LATER)
    assert "changed after you wrote" in declined(stages.decide(to_decide(), late, "azure-core", approved=True))


def test_another_build_needs_another_word() -> None:
    after = plan.learn(decided(to_decide()), built(a_tag(), "2"), NOW)
    assert valid_go(after) is None
    assert valid_go(decided(after)) is not None


def test_kept_back_is_taken_back_while_it_waits() -> None:
    after = decided(decided(to_decide(), approved=False))
    decision = stages.decided(after, "azure-core")
    assert decision is not None
    assert decision.approved


def test_after_the_go_there_is_no_way_back_but_by_two_persons() -> None:
    release = decided(to_decide())
    assert "so this version cannot be cut again" in declined(orders.refreeze(release, order(), "a fix"))
    wanted = obeyed(orders.abort(release, order(), "it is broken"))
    assert (wanted.state, waited_for(wanted)) == (ReleaseState.HALTED, ["halt"])
    assert "you did already" in declined(orders.abort(wanted, order(), "it is broken"))
    given_up = obeyed(orders.abort(wanted, order(by=APPROVER), "it is"))
    assert given_up.state is ReleaseState.ABORTING
    [row] = [act for act in given_up.people if act.step == "withdraw"]
    assert "yank it on PyPI" in row.what


def test_before_the_go_one_person_gives_it_up_or_begins_anew() -> None:
    assert obeyed(orders.abort(to_decide(), order(), "enough")).state is ReleaseState.ABORTING
    again = obeyed(orders.refreeze(decided(to_decide(), approved=False), order(), "a fix"))
    assert (again.attempt, again.stages, again.tag) == (2, (), None)
    assert ready(again, SPECS) == ["preflight"]


def test_another_commit_opens_the_next_attempt() -> None:
    release = plan.apply(to_decide(), "package-tag", passed(*pinned(a_tag("b"))), NOW)  # type: ignore[arg-type]  # as above
    assert (release.attempt, release.builds, release.tag) == (2, (), a_tag("b"))
    assert release.made_its_tag


def test_nothing_is_built_anew_once_it_is_released() -> None:
    release = plan.apply(decided(to_decide()), "package-release", passed(), NOW)
    assert plan.settled(release, "package-build")
    assert "what follows rests on it" in declined(orders.retry(release, order(), "package-build"))
