"""Building and publishing, as the heart of the bot sees it: runs, builds, the go, what is done by hand, and what may be public already."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.release import course, orders, plan
from bot.release.course import StepSpec
from bot.release.facts import Build, Built, BuiltFile, Run, RunSeen
from bot.release.gate import results_digest, valid_go
from bot.release.model import Release, ReleaseState, StepStatus
from bot.release.orders import Answer, valid_approval
from bot.release.outcomes import Evidence
from bot.release.published import PublicationSeen
from bot.release.rows import left_running
from bot.release.version import Kind
from tests.release_builders import (
    APPROVER,
    LATER,
    MANAGER,
    NOW,
    SOON,
    STARTER,
    VALID_FOR,
    a_tag,
    audited,
    declined,
    done,
    failed,
    needs,
    obeyed,
    opened,
    order,
    ordinary,
    passed,
    ready,
    statuses,
    waited_for,
    waiting,
)
from tests.release_builders import until as heart_until

AFTER_APPROVAL = ("source", "windows", "macos", "go", "windows-publish", "publication")
NAMES = ("preflight", "freeze", "tag", "audit", "approve", *AFTER_APPROVAL, "push", "thaw")
NEEDS = {
    "freeze": ("preflight",),
    "tag": ("freeze",),
    "audit": ("tag",),
    "approve": ("audit",),
    "source": ("approve",),
    "windows": ("approve",),
    "macos": ("approve",),
    "go": ("source", "windows", "macos"),
    "windows-publish": ("go",),
    "publication": ("windows-publish",),
    "push": ("publication",),
    "thaw": ("push",),
}
SPECS = tuple(StepSpec(name=name, needs=NEEDS.get(name, ())) for name in NAMES)
SHA = a_tag().object
SOURCE = BuiltFile(name="Python-3.15.0a3.tgz", sha256="1" * 64, size=7)


def a_run(step: str = "windows", number: int = 1, attempt: int = 1, **details: object) -> Run:
    run = Run(step=step, purpose="build", number=number, attempt=attempt, id=number, name="Release_1", url="", ordered=(), at=NOW)
    return replace(run, **details)  # type: ignore[arg-type]  # the fields of a run, by name


def a_build(step: str = "source", *files: BuiltFile, letter: str = "a") -> Built:
    tag = a_tag(letter)
    return Built(build=Build(step=step, tag=tag.object, commit=tag.commit, files=files, url="", at=NOW))


def until(step: str) -> Release:
    """Return a release that builds, with every step before this one passed."""
    release = course.align(opened(), SPECS, (STARTER, MANAGER, APPROVER))
    facts = {"source": (a_build("source", SOURCE),), "windows": (RunSeen(run=a_run()), a_build("windows"))}
    for name in NAMES[: NAMES.index(step)]:
        outcome = passed(*facts.get(name, ())) if name in AFTER_APPROVAL else ordinary(name)
        release = plan.apply(release, name, outcome, NOW)
    return release


def asked() -> Release:
    """Return a release that waits for the go."""
    return go_asked(until("go"), NOW)


def go_asked(release: Release, at: datetime) -> Release:
    """Return a release whose results were just shown, with the question for the go."""
    shown = Evidence(what="results", value=results_digest(release))
    return plan.apply(release, "go", replace(needs("Say go.", say=f"/release go {SHA}"), evidence=(shown,)), at)


def went() -> Release:
    """Return a release whose go was given."""
    return plan.apply(obeyed(orders.go(asked(), order(said=SOON), SHA)), "go", passed(), SOON)


# --- steps that a kind does not have


def test_a_step_that_this_kind_does_not_have_is_not_applicable_and_never_looked_at() -> None:
    specs = [replace(spec, not_for=frozenset({Kind.ALPHA})) if spec.name == "windows" else spec for spec in SPECS]
    release = course.align(until("source"), specs)
    assert release.step("windows").status is StepStatus.NOT_APPLICABLE
    assert release.step("windows").why == "No alpha release has this step."
    assert not release.has_step("windows")
    assert not release.has_step("amiga")
    assert "windows" not in ready(release, specs)
    for name in ("source", "macos"):
        release = plan.apply(release, name, passed(), NOW)
    assert "go" in ready(release, specs)


def test_a_step_comes_back_when_the_profile_wants_it_after_all() -> None:
    specs = [replace(spec, not_for=frozenset({Kind.ALPHA})) if spec.name == "windows" else spec for spec in SPECS]
    release = course.align(course.align(until("source"), specs), SPECS)
    assert release.step("windows").status is StepStatus.PENDING


def test_a_release_that_is_over_keeps_the_steps_it_took() -> None:
    assert course.align(done(), SPECS) == done()


def test_builders_work_beside_each_other_and_nobody_looks_at_them_after_the_go() -> None:
    assert {"source", "windows", "macos"} <= set(ready(until("source"), SPECS))
    assert "go" not in ready(until("macos"), SPECS)
    assert not {"source", "windows", "macos"} & set(ready(went(), SPECS))
    assert "windows-publish" in ready(went(), SPECS)


@pytest.mark.parametrize("undone", ["tag", "audit", "freeze"])
def test_nothing_is_built_or_let_out_while_what_it_rests_on_has_come_undone(undone: str) -> None:
    building = plan.apply(until("source"), undone, failed(), SOON)
    assert not {"source", "windows", "macos"} & set(ready(building, SPECS))
    published = plan.apply(went(), undone, failed(), SOON)
    assert not {"go", "windows-publish", "publication", "push"} & set(ready(published, SPECS))


def test_a_push_that_had_begun_before_the_profile_learnt_to_build_is_brought_to_its_end() -> None:
    for release in (plan.apply(heart_until("push"), "push", failed(), NOW), heart_until("thaw")):
        upgraded = course.align(release, SPECS)
        assert upgraded.step("windows").why == course.TOO_LATE
        assert course.align(upgraded, SPECS) == upgraded
        assert not {"source", "windows", "macos", "go"} & set(ready(upgraded, SPECS))
    assert plan.apply(course.align(heart_until("thaw"), SPECS), "thaw", ordinary("thaw"), NOW).state is ReleaseState.DONE
    assert course.align(heart_until("push"), SPECS).step("windows").status is StepStatus.PENDING


def test_a_release_is_not_done_while_a_run_of_an_earlier_attempt_goes_on() -> None:
    release = plan.learn(until("thaw"), RunSeen(run=a_run(attempt=0)), NOW)
    waits = plan.apply(release, "thaw", ordinary("thaw"), NOW)
    assert waits.state is ReleaseState.RUNNING
    stopped = plan.learn(waits, RunSeen(run=a_run(attempt=0, over=True)), NOW)
    assert plan.apply(stopped, "thaw", ordinary("thaw"), NOW).state is ReleaseState.DONE


# --- what is remembered


def test_a_run_takes_the_place_of_what_was_known_of_the_same_order() -> None:
    release = plan.learn(opened(), RunSeen(run=a_run()), NOW)
    release = plan.learn(release, RunSeen(run=a_run(number=2)), NOW)
    release = plan.learn(release, RunSeen(run=a_run(over=True)), NOW)
    assert release.runs == (a_run(over=True), a_run(number=2))
    assert release.latest_run("windows", "build") == a_run(number=2)
    assert release.latest_run("windows", "publish") is None


def test_an_order_whose_run_nobody_saw_is_in_doubt_until_it_is_settled() -> None:
    release = plan.learn(until("go"), RunSeen(run=a_run("source", id=0)), NOW)
    assert release.in_doubt("source") == a_run("source", id=0)
    assert release.in_doubt("windows") is None
    assert plan.learn(release, RunSeen(run=a_run("source", id=0, over=True)), NOW).in_doubt("source") is None


def test_a_build_counts_for_its_own_tag_only() -> None:
    release = plan.apply(until("source"), "source", passed(a_build("source", SOURCE)), NOW)
    assert release.build("source") == a_build("source", SOURCE).build
    assert release.build("windows") is None
    assert replace(release, tag=a_tag("b")).build("source") is None
    again = plan.learn(release, a_build("source"), NOW)
    assert again.builds == (a_build("source").build,)


def test_what_was_published_is_remembered() -> None:
    seen = PublicationSeen(rows="abc", first=NOW, right=True)
    assert plan.learn(opened(), seen, NOW).publication == seen


def test_another_tag_lets_builds_lapse_but_remembers_the_runs_that_must_be_cancelled() -> None:
    release = plan.next_attempt(plan.learn(went(), PublicationSeen(rows="abc", first=NOW, right=True), NOW), "another tag", LATER)
    assert (release.builds, release.hand_work, release.deferrals, release.go, release.publication) == ((), (), (), None, None)
    assert plan.to_cancel(release) == (a_run(),)
    assert release.latest_run("windows", "build") is None


def test_runs_of_this_attempt_go_on_until_the_release_is_given_up() -> None:
    release = until("go")
    assert plan.to_cancel(release) == ()
    given_up = obeyed(orders.abort(release, order(), "No."))
    assert plan.to_cancel(given_up) == (a_run(),)
    thawed = plan.apply(given_up, "thaw", ordinary("thaw"), NOW)
    assert thawed.state is ReleaseState.ABORTING
    cancelled = plan.apply(plan.learn(thawed, RunSeen(run=a_run(over=True)), NOW), "thaw", ordinary("thaw"), NOW)
    assert cancelled.state is ReleaseState.ABORTED


def test_somebody_has_one_row_for_runs_that_the_bot_may_not_cancel() -> None:
    release = left_running(until("go"), ["Please cancel one."], NOW)
    again = left_running(release, ["Please cancel one."], SOON)
    assert again == release
    assert [(act.who, act.what, act.done) for act in again.people] == [((STARTER.login, MANAGER.login), "Please cancel one.", None)]
    other = left_running(plan.apply(again, "macos", passed(), SOON), ["Please cancel one.", "And one more."], LATER)
    assert [(act.what, act.done) for act in other.people] == [("Please cancel one.", LATER), ("Please cancel one. And one more.", None)]
    assert waited_for(plan.next_attempt(other, "another tag", LATER)) == ["cancel"]
    assert waited_for(left_running(other, [], LATER)) == []


def test_a_machine_at_work_needs_nobody_but_silence_changes_nothing() -> None:
    release = plan.apply(until("windows"), "windows", needs("Approve the stage Sign."), NOW)
    assert waited_for(release) == ["windows"]
    silent = replace(waiting(), unheard=True)
    assert waited_for(plan.apply(release, "windows", silent, SOON)) == ["windows"]
    assert waited_for(plan.apply(release, "windows", waiting("Azure"), SOON)) == []


def test_what_could_not_be_looked_at_is_as_it_was_seen_last() -> None:
    proof = Evidence(what="run", value="Release_1")
    release = plan.apply(until("windows"), "windows", replace(failed(), evidence=(proof,)), NOW)
    assert plan.apply(release, "windows", replace(waiting(), unheard=True), SOON).step("windows").evidence == (proof,)
    assert plan.apply(release, "windows", waiting("Azure"), SOON).step("windows").evidence == ()


def test_one_step_after_the_other_is_done_again() -> None:
    release = plan.apply(plan.apply(until("source"), "source", failed(), NOW), "windows", failed(), NOW)
    release = obeyed(orders.retry(release, order(), "source"))
    assert "about to look at source again" in declined(orders.retry(release, order(), "windows"))
    assert obeyed(orders.retry(release, order(), "source")).retry == "source"


def test_a_wish_to_try_again_outlives_silence() -> None:
    release = obeyed(orders.retry(plan.apply(until("windows"), "windows", failed(), NOW), order(), "windows"))
    assert plan.apply(release, "windows", replace(waiting(), unheard=True), SOON).retry == "windows"
    assert plan.apply(release, "windows", waiting("Azure"), SOON).retry == ""


def test_what_others_rest_on_or_this_release_does_not_have_is_not_done_again() -> None:
    assert "has passed, and what follows rests on it" in declined(orders.retry(went(), order(), "source"))
    specs = [replace(spec, not_for=frozenset({Kind.ALPHA})) if spec.name == "windows" else spec for spec in SPECS]
    assert "No alpha release has this step" in declined(orders.retry(course.align(until("source"), specs), order(), "windows"))


# --- the go


def test_a_go_covers_exactly_these_results_and_renews_the_approval() -> None:
    release = obeyed(orders.go(asked(), order(said=SOON, at=LATER), SHA))
    go = valid_go(release)
    assert go is not None
    assert (go.by, go.tag, go.results) == (STARTER, SHA, results_digest(release))
    assert valid_approval(release, LATER + VALID_FOR - timedelta(seconds=1), VALID_FOR) is not None


@pytest.mark.parametrize("changed", [a_build("source", replace(SOURCE, sha256="2" * 64)), a_build("macos")])
def test_a_go_is_void_when_a_result_changes(changed: Built) -> None:
    assert valid_go(plan.learn(went(), changed, LATER)) is None


def test_what_is_made_after_the_go_is_no_part_of_it() -> None:
    assert valid_go(plan.learn(went(), a_build("windows-publish"), LATER)) is not None


def test_without_a_tag_there_is_no_go() -> None:
    assert valid_go(replace(went(), tag=None)) is None
    assert results_digest(replace(went(), tag=None)) != results_digest(went())


def test_a_go_that_makes_no_sense_is_declined_with_one_sentence() -> None:
    early = until("windows")
    assert "windows: pending" in declined(orders.go(early, order(), SHA))
    assert "no tag yet" in declined(orders.go(until("tag"), order(), SHA))
    assert f"/release go {SHA}" in declined(orders.go(asked(), order(), a_tag().commit))
    assert "not the tag object" in declined(orders.go(asked(), order(), "b" * 40))
    assert "given already" in declined(orders.go(went(), order(), SHA))
    assert "halted" in declined(orders.go(obeyed(orders.halt(asked(), order(), "Wait.")), order(), SHA))
    assert "publishes nothing" in declined(orders.go(course.align(asked(), SPECS[:5]), order(), SHA))


def test_a_go_written_before_the_results_changed_is_declined() -> None:
    changed = plan.learn(asked(), a_build("source", replace(SOURCE, sha256="2" * 64)), SOON)
    assert "results changed after you wrote" in declined(orders.go(changed, order(said=LATER), SHA))
    shown = plan.apply(changed, "go", replace(needs("Look again."), evidence=go_asked(changed, LATER).step("go").evidence), LATER)
    assert "results changed after you wrote" in declined(orders.go(shown, order(said=SOON), SHA))
    assert obeyed(orders.go(shown, order(said=LATER), SHA)).go is not None


def test_the_question_for_the_go_is_taken_back_while_something_is_made_again() -> None:
    undone = plan.apply(asked(), "windows", waiting("Azure"), SOON)
    assert (undone.step("go").status, waited_for(undone)) == (StepStatus.PENDING, [])
    silent = plan.apply(asked(), "windows", replace(waiting(), unheard=True), SOON)
    assert waited_for(silent) == ["go"]


def test_a_go_waits_for_a_builder_that_is_done_again() -> None:
    for step, outcome in (("windows", failed()), ("source", waiting("GitHub")), ("tag", failed())):
        undone = plan.apply(asked(), step, outcome, SOON)
        assert f"{step}: " in declined(orders.go(undone, order(said=LATER), SHA))


def test_what_an_earlier_order_built_does_not_count_any_more() -> None:
    release = until("go")
    assert release.build("windows") is not None
    assert plan.learn(release, RunSeen(run=a_run(number=2)), NOW).build("windows") is None
    assert plan.learn(release, RunSeen(run=a_run(number=2, attempt=7)), NOW).build("windows") is not None
    assert plan.learn(release, RunSeen(run=a_run(over=True)), NOW).build("windows") is not None


# --- what is done by hand


def at_macos() -> Release:
    return plan.apply(until("macos"), "macos", needs("Build it."), NOW)


def test_an_expert_is_taken_at_their_word_for_this_tag() -> None:
    release = obeyed(orders.done(at_macos(), order(APPROVER), name="macos", sha256="3" * 64, wants_hash=True))
    [work] = release.hand_work
    assert (work.name, work.by, work.tag, work.sha256) == ("macos", APPROVER, SHA, "3" * 64)
    corrected = obeyed(orders.done(release, order(APPROVER), name="macos", sha256="4" * 64, wants_hash=True))
    assert [one.sha256 for one in corrected.hand_work] == ["4" * 64]
    assert results_digest(corrected) != results_digest(release)


def test_the_hash_is_asked_for_where_a_file_is_made_and_refused_where_none_is() -> None:
    assert "SHA-256 of the file is missing" in declined(orders.done(at_macos(), order(), name="macos", sha256="", wants_hash=True))
    assert "takes no hash" in declined(orders.done(at_macos(), order(), name="macos", sha256="3" * 64, wants_hash=False))
    assert obeyed(orders.done(at_macos(), order(), name="macos", sha256="", wants_hash=False)).hand_work[0].sha256 == ""


def test_what_is_put_off_follows_later_and_takes_the_place_of_a_word_given() -> None:
    done = obeyed(orders.done(at_macos(), order(APPROVER), name="macos", sha256="3" * 64, wants_hash=True))
    done = plan.apply(done, "macos", passed(a_build("macos")), NOW)
    deferred = obeyed(orders.defer(done, order(), name="macos", reason="The notary is down."))
    assert ([one.reason for one in deferred.deferrals], deferred.hand_work, deferred.build("macos")) == (["The notary is down."], (), None)
    again = obeyed(orders.done(deferred, order(APPROVER), name="macos", sha256="5" * 64, wants_hash=True))
    assert (again.deferrals, again.hand_work[0].sha256) == ((), "5" * 64)


def done_by_hand(release: Release) -> Answer:
    return orders.done(release, order(), name="macos", sha256="3" * 64, wants_hash=True)


def put_off(release: Release) -> Answer:
    return orders.defer(release, order(), name="macos", reason="Later.")


@pytest.mark.parametrize("say", [done_by_hand, put_off])
def test_words_about_work_by_hand_that_make_no_sense_are_declined(say: Callable[[Release], Answer]) -> None:
    assert "Nobody was asked for macos yet" in declined(say(until("tag")))
    assert "cannot change any more" in declined(say(went()))
    assert "has no step `macos`" in declined(say(course.align(at_macos(), SPECS[:5])))
    assert "halted" in declined(say(obeyed(orders.halt(at_macos(), order(), "Wait."))))


def test_a_word_about_an_earlier_tag_is_no_word_about_this_one() -> None:
    asked_later = plan.apply(until("macos"), "macos", needs("Build it."), LATER)
    assert "say it again" in declined(done_by_hand(asked_later))
    second = replace(at_macos(), attempt=2, attempt_since=LATER)
    assert "say it again" in declined(orders.done(second, order(said=SOON), name="macos", sha256="3" * 64, wants_hash=True))
    assert obeyed(orders.done(second, order(said=LATER), name="macos", sha256="3" * 64, wants_hash=True)).hand_work


# --- what may be public


def test_after_the_go_a_release_is_not_cut_again() -> None:
    assert "may be public, so this version cannot be cut again" in declined(orders.refreeze(went(), order(), "A fix."))


def recalled_by_one() -> Release:
    return obeyed(orders.abort(went(), order(), "The sources are broken."))


def test_after_the_go_it_takes_two_persons_to_give_a_release_up() -> None:
    first = recalled_by_one()
    assert first.state is ReleaseState.HALTED
    [row] = [act for act in first.people if not act.done]
    assert row.who == (MANAGER.login, APPROVER.login)
    assert "hugovk wants to recall 3.15.0a3 (The sources are broken.)" in row.what
    assert "you did already" in declined(orders.abort(first, order(), "Really."))
    second = obeyed(orders.abort(first, order(MANAGER), "I agree."))
    assert second.state is ReleaseState.ABORTING


def test_what_may_be_public_of_a_recalled_release_has_a_row_that_outlives_it() -> None:
    second = obeyed(orders.abort(recalled_by_one(), order(MANAGER), "I agree."))
    assert waited_for(second) == ["withdraw"]
    over = plan.apply(plan.learn(second, RunSeen(run=a_run(over=True)), LATER), "thaw", ordinary("thaw"), LATER)
    assert (over.state, waited_for(over)) == (ReleaseState.ABORTED, ["withdraw"])
    assert waited_for(obeyed(orders.withdrawn(over, order()))) == []
    assert "Nothing of this release" in declined(orders.withdrawn(went(), order()))


def test_whoever_resumes_after_the_go_has_a_broken_freeze_laid_again() -> None:
    halted = obeyed(orders.halt(went(), order(APPROVER), "Wait."))
    assert obeyed(orders.resume(halted, order(APPROVER))).retry == "freeze"
    before = obeyed(orders.halt(asked(), order(APPROVER), "Wait."))
    assert obeyed(orders.resume(before, order(APPROVER))).retry == ""


def test_a_recall_is_forgotten_when_the_release_goes_on() -> None:
    going_on = obeyed(orders.resume(recalled_by_one(), order(APPROVER)))
    assert (going_on.state, going_on.recalls) == (ReleaseState.RUNNING, ())
    assert obeyed(orders.abort(going_on, order(MANAGER), "Later.")).state is ReleaseState.HALTED


def test_a_halted_release_is_recalled_as_well() -> None:
    halted = obeyed(orders.halt(went(), order(APPROVER), "Wait."))
    first = obeyed(orders.abort(halted, order(), "Broken."))
    assert first.state is ReleaseState.HALTED
    assert waited_for(first) == ["halt"]


def test_where_nobody_else_may_agree_the_managers_are_asked() -> None:
    alone = obeyed(orders.abort(replace(went(), approvers=(STARTER,)), order(), "No."))
    assert [act.who for act in alone.people if not act.done] == [(STARTER.login, MANAGER.login)]


def test_before_the_go_one_person_gives_a_release_up() -> None:
    assert obeyed(orders.abort(asked(), order(), "No.")).state is ReleaseState.ABORTING


def test_nothing_is_pushed_while_the_publication_is_not_confirmed() -> None:
    release = until("push")
    assert "push" in ready(release, SPECS)
    assert "push" not in ready(plan.apply(release, "publication", failed(), NOW), SPECS)
    assert statuses(release)["publication"] is StepStatus.PASSED


def test_an_audit_of_another_tag_starts_the_builds_anew() -> None:
    release = plan.next_attempt(until("go"), "another tag", LATER)
    release = plan.apply(replace(release, tag=a_tag("b")), "audit", audited(a_tag("b")), LATER)
    assert release.build("source") is None
