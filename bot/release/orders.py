"""What each accepted command changes in a release. Pure: whether the speaker may is settled before, in ``bot.authority``."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.release.course import AUDITS, BUILDERS, SETTLED
from bot.release.gate import managers, plan_digest, results_digest, to_acknowledge, to_waive
from bot.release.ids import CommentId
from bot.release.model import (
    Acknowledgement,
    Actor,
    Approval,
    Deferral,
    Go,
    Goal,
    HandWork,
    HumanAct,
    Promise,
    Recall,
    Release,
    ReleaseState,
    StepStatus,
    Waiver,
)
from bot.release.plan import aborting, halted, next_attempt, resumed, settled
from bot.release.quoting import shown
from bot.release.rows import HALT, WITHDRAW, closed

GO: Final = "go"

PUSH_PLAN: Final = "push plan"
"""What the evidence with the digest of the push plan is called."""

WHOLE_SECOND: Final = timedelta(seconds=1)
"""GitHub cuts the times of comments to seconds."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who gave a command, in which comment, when it was written (GitHub gives whole seconds), and when it was acted on."""

    by: Actor
    comment: CommentId
    said: datetime
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Done:
    """The command took effect: the release as it is now, and one sentence for the journal."""

    release: Release
    what: str


@dataclass(frozen=True, kw_only=True)
class Declined:
    """The command makes no sense as things stand: one sentence saying why and what to do."""

    why: str


Answer = Done | Declined


def approve(release: Release, order: Order, sha: str) -> Answer:
    """Approve the push plan of exactly this tag object."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, "approve")
    tag = release.tag
    audited = any(step.name in AUDITS and step.status is StepStatus.PASSED for step in release.steps)
    if tag is None or not release.plan or not audited:
        return Declined(why="There is no audited push plan to approve yet; please wait until the audit has passed.")
    if sha != tag.object:
        return Declined(why=_other_sha(release, sha, "approve"))
    approval = Approval(by=order.by, tag=sha, plan=plan_digest(tag.object, release.plan), at=order.at, comment=order.comment)
    if _other_plan_shown(release, approval.plan) or _asked_after(release, "approve", order):
        return Declined(why="This push plan was shown only after you wrote, so you cannot have seen it: look at the status again.")
    return Done(release=replace(release, approvals=(*release.approvals, approval)), what=f"approved the push plan of tag object {sha}")


def _other_plan_shown(release: Release, digest: str) -> bool:
    """Tell whether what was shown last is another plan: a tag object does not tell what a person made for its branches."""
    evidence = [one for step in release.steps if step.name == "approve" for one in step.evidence]
    shown_plans = [one.value for one in evidence if one.what == PUSH_PLAN]
    return bool(shown_plans) and digest not in shown_plans


def _other_sha(release: Release, sha: str, verb: str) -> str:
    tag = release.tag
    if tag is not None and sha == tag.commit:
        return f"That is the commit the tag points to, but the tag object itself has to be named: `/release {verb} {tag.object}`."
    if any(attempt.tag is not None and attempt.tag.object == sha for attempt in release.past):
        return "That tag object belongs to an earlier attempt and has lapsed; look at the status above for the present one."
    return "That is not the tag object of this release, so nothing was done; please compare it with the status above."


def valid_approval(release: Release, now: datetime, valid_for: timedelta) -> Approval | None:
    """Return the newest approval that covers the present push plan and has not expired."""
    if release.tag is None or not release.plan:
        return None
    digest = plan_digest(release.tag.object, release.plan)
    fitting = [a for a in release.approvals if (a.tag, a.plan) == (release.tag.object, digest) and now - a.at < valid_for]
    return max(fitting, key=lambda approval: approval.at, default=None)


def acknowledge(release: Release, order: Order, digest: str) -> Answer:
    """Take note of the findings with this digest."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, "acknowledge findings")
    waiting = {waits: checked.step for checked, waits in to_acknowledge(release)}
    if digest not in waiting:
        return Declined(why="Nothing waits to be acknowledged under that digest; the findings may have changed, see the status above.")
    ack = Acknowledgement(by=order.by, digest=digest, at=order.at, comment=order.comment)
    return Done(
        release=replace(release, acknowledgements=(*release.acknowledgements, ack)),
        what=f"acknowledged the findings {digest} of {waiting[digest]}",
    )


def waive(release: Release, order: Order, *, check: str, sha: str, reason: str) -> Answer:
    """Let the failed check pass for one SHA, as the second person, for a reason."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, "waive a check")
    waiting = {checked.subject: digest for checked, digest in to_waive(release, check)}
    if not waiting:
        return Declined(why=f"The check {shown(check)} has nothing to waive; see the status above for what waits.")
    if sha not in waiting:
        return Declined(why=f"The check {check} failed for {' and '.join(waiting)}, not for the SHA you gave, so nothing was waived.")
    if _news_since(release, order):
        return Declined(why="The findings changed after you wrote, so you cannot have seen them all: look at the status again.")
    waiver = Waiver(by=order.by, check=check, sha=sha, digest=waiting[sha], reason=reason, at=order.at, comment=order.comment)
    return Done(release=replace(release, waivers=(*release.waivers, waiver)), what=f"waived {check} for {sha}: {reason}")


def _news_since(release: Release, order: Order) -> bool:
    """Tell whether somebody is asked for something newer than the comment."""
    return any(act.since > order.said + WHOLE_SECOND for act in release.people if not act.done)


def retry(release: Release, order: Order, step: str) -> Answer:
    """Have one step look again at once."""
    del order
    if release.state is not ReleaseState.RUNNING and not (release.state is ReleaseState.ABORTING and step == "thaw"):
        return _not_running(release, "retry a step")
    if step not in (known.name for known in release.steps):
        names = ", ".join(known.name for known in release.steps)
        return Declined(why=f"This release has no step “{step}”; it has {names}.")
    if release.step(step).status is StepStatus.NOT_APPLICABLE:
        return Declined(why=f"This release has no step {step}: {release.step(step).why}")
    if release.step(step).status is StepStatus.PENDING:
        return Declined(why=f"The step {step} has not begun yet, so there is nothing to do again.")
    if release.retry not in ("", step):
        return Declined(why=f"I am about to look at {release.retry} again, as somebody asked me to; say it once more when I have.")
    if settled(release, step):
        return Declined(why=f"The step {step} has passed, and what follows rests on it, so it is not done again.")
    # What is frozen still is lifted first: otherwise it would be taken for a freeze that was broken.
    moves_from = None if step == "freeze" and not release.frozen else release.refreeze_from
    return Done(release=replace(release, retry=step, refreeze_from=moves_from), what=f"asked {step} to look again")


def go(release: Release, order: Order, sha: str) -> Answer:
    """Let everything that was built for exactly this tag object become public; that renews the approval of its push plan."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, "say go")
    tag = release.tag
    if tag is None or not release.has_step(GO):
        return Declined(why="There is nothing to say go to: this release has no tag yet, or publishes nothing.")
    if sha != tag.object:
        return Declined(why=_other_sha(release, sha, GO))
    step = release.step(GO)
    if step.status is StepStatus.PASSED:
        return Declined(why="The go for this tag object was given already; see the status above for what it waits for now.")
    if missing := _not_yet(release):
        return Declined(why=f"Not everything is there yet: {missing}. Please wait until I ask for the go.")
    shown_results = any(one.value == results_digest(release) for one in step.evidence)
    if not shown_results or _asked_after(release, GO, order):
        return Declined(why="The results changed after you wrote, so you cannot have seen them all: look at the table again.")
    given = Go(by=order.by, tag=sha, results=results_digest(release), at=order.at, comment=order.comment)
    approval = Approval(by=order.by, tag=sha, plan=plan_digest(tag.object, release.plan), at=order.at, comment=order.comment)
    return Done(
        release=replace(release, go=given, approvals=(*release.approvals, approval)),
        what=f"said go to {sha} with the results {given.results}",
    )


def _not_yet(release: Release) -> str:
    """Return what a go has to wait for, in words: whatever stands before it has to be as it was when it was asked for."""
    names = [step.name for step in release.steps]
    before = release.steps[: names.index(GO)]
    return "; ".join(f"{step.name}: {step.status}" for step in before if step.status not in SETTLED)


def _asked_after(release: Release, step: str, order: Order) -> bool:
    """Tell whether somebody was asked for this step only after the comment was written."""
    return any(act.step == step and not act.done and act.since > order.said + WHOLE_SECOND for act in release.people)


def done(release: Release, order: Order, *, name: str, sha256: str, wants_hash: bool) -> Answer:
    """Take an expert's word that a step done by hand is done for the pinned tag; ``wants_hash``: with the SHA-256 of their file."""
    problem = _not_at_hand(release, order, name)
    if problem:
        return problem
    if wants_hash and not sha256:
        return Declined(why=f"The SHA-256 of the file is missing: write `/release done {name} SHA256`.")
    if sha256 and not wants_hash:
        return Declined(why=f"{name} makes no file that could be compared, so it takes no hash: write `/release done {name}`.")
    tag = release.tag.object if release.tag else ""
    work = HandWork(name=name, by=order.by, tag=tag, sha256=sha256, at=order.at, comment=order.comment)
    kept = tuple(one for one in release.hand_work if one.name != name)
    deferrals = tuple(one for one in release.deferrals if one.name != name)
    return Done(release=replace(release, hand_work=(*kept, work), deferrals=deferrals), what=f"did {name} for {tag} {sha256}".strip())


def withdrawn(release: Release, order: Order) -> Answer:
    """Take somebody's word that nothing of a recalled release is public any more."""
    rows = tuple(closed(act, order.at) if act.step == WITHDRAW else act for act in release.people)
    if rows == release.people:
        return Declined(why="Nothing of this release has to be withdrawn.")
    return Done(release=replace(release, people=rows), what="withdrew what was public")


def defer(release: Release, order: Order, *, name: str, reason: str) -> Answer:
    """Let the release go on without the files of a step done by hand; they follow later."""
    problem = _not_at_hand(release, order, name)
    if problem:
        return problem
    tag = release.tag.object if release.tag else ""
    deferral = Deferral(name=name, by=order.by, tag=tag, reason=reason, at=order.at, comment=order.comment)
    kept = tuple(one for one in release.deferrals if one.name != name)
    work = tuple(one for one in release.hand_work if one.name != name)
    builds = tuple(build for build in release.builds if build.step != name)
    changed = replace(release, deferrals=(*kept, deferral), hand_work=work, builds=builds)
    return Done(release=changed, what=f"deferred {name}: {reason}")


def _not_at_hand(release: Release, order: Order, name: str) -> Declined | None:
    """Return why nothing can be said about a step done by hand now, or None."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, f"say anything about {name}")
    if not release.has_step(name):
        return Declined(why=f"This release has no step {shown(name)} that is done by hand; see the status above for its steps.")
    if release.go is not None and name in BUILDERS:
        return Declined(why=f"The go was given with what {name} was then, so it cannot change any more; tell the release manager.")
    if release.step(name).status not in (StepStatus.NEEDS_PERSON, StepStatus.PASSED):
        return Declined(why=f"Nobody was asked for {name} yet; please wait until I ask for it, with the tag and the commit.")
    since = release.attempt_since
    if _asked_after(release, name, order) or (release.attempt > 1 and since is not None and since > order.said + WHOLE_SECOND):
        return Declined(why=f"You wrote before I asked for {name} with the present tag, so I cannot tell which one you mean; say it again.")
    return None


def refreeze(release: Release, order: Order, reason: str) -> Answer:
    """Lift the freeze for a fix, and open the next attempt."""
    halt_of = release.halted_from if release.state is ReleaseState.HALTED else release.state
    if halt_of is not ReleaseState.RUNNING:
        return _not_running(release, "refreeze")
    if release.pushed:
        return Declined(why="The tag is upstream already, so this version cannot be cut again; please release the next version.")
    if release.go is not None:
        why = f"{_maybe_public(release)}, so this version cannot be cut again: finish it, or recall it with `/release abort REASON`."
        return Declined(why=why)
    if not release.frozen:
        return Declined(why="Nothing is frozen yet, so the fix can simply be merged.")
    # A freeze that was broken from outside halts a release; starting over from the new head is the way out.
    opened = next_attempt(release, reason, order.at, thaw=True)
    if release.state is ReleaseState.HALTED:
        opened = resumed(opened, order.by, order.at)
    promise = Promise(comment=order.comment, goal=Goal.FROZEN)
    return Done(release=replace(opened, promises=(*opened.promises, promise)), what=f"refreeze: {reason}")


def halt(release: Release, order: Order, reason: str) -> Answer:
    """Stop everything; the freeze stays."""
    if release.state is not ReleaseState.RUNNING:
        return _not_running(release, "halt")
    return Done(release=halted(release, reason, order.by, order.at), what=f"halted: {reason}")


def resume(release: Release, order: Order) -> Answer:
    """Let a halted release go on."""
    if release.state is not ReleaseState.HALTED:
        return Declined(why="This release is not halted, so there is nothing to resume.")
    going_on = resumed(release, order.by, order.at)
    if release.go is not None and not release.pushed and release.has_step("freeze"):
        # There is no other attempt after the go, so whoever resumes has a broken freeze laid again.
        going_on = replace(going_on, retry="freeze")
    return Done(release=going_on, what="resumed")


def abort(release: Release, order: Order, reason: str) -> Answer:
    """Give this release up: thaw, and push nothing. What may be public already is recalled by two persons, and only by both."""
    if release.state.over or release.state is ReleaseState.ABORTING:
        return _not_running(release, "abort")
    if release.pushed:
        return Declined(why="The branch and the tag are upstream already, so there is nothing left to abort; the thaw will finish it.")
    if release.go is not None and all(recall.by.id == order.by.id for recall in release.recalls):
        return _first_of_two(release, order, reason)
    promise = Promise(comment=order.comment, goal=Goal.ABORTED)
    given_up = aborting(release, reason, order.by, order.at)
    return Done(release=replace(given_up, promises=(*release.promises, promise)), what=f"abort: {reason}")


def _first_of_two(release: Release, order: Order, reason: str) -> Answer:
    """Halt a release that somebody wants to recall, until a second person agrees or lets it go on."""
    if release.recalls:
        return Declined(why=f"{_maybe_public(release)}, so a second person has to say `/release abort REASON` too; you did already.")
    recall = Recall(by=order.by, reason=reason, at=order.at, comment=order.comment)
    stopped = (
        release if release.state is ReleaseState.HALTED else halted(release, f"{order.by.login} wants to recall it", order.by, order.at)
    )
    others = tuple(actor.login for actor in release.approvers if actor.id != order.by.id) or managers(release)
    what = (
        f"{order.by.login} wants to recall {release.version} ({reason}). {_maybe_public(release)}, so a second person has to agree: say "
        "`/release abort REASON`. Everything is halted until then; `/release resume` goes on with the release."
    )
    rows = tuple(replace(act, done=order.at) if act.step == HALT and not act.done else act for act in stopped.people)
    row = HumanAct(step=HALT, who=others, what=what, say="/release abort REASON", since=order.at)
    return Done(release=replace(stopped, recalls=(recall,), people=(*rows, row)), what=f"asked to recall it: {reason}")


def _maybe_public(release: Release) -> str:
    return f"The go for {release.version} was given, and files of it may be public"


def kept_promises(release: Release) -> tuple[Promise, ...]:
    """Return the promises whose goal is reached now."""
    reached = {
        Goal.RELEASED: release.state is ReleaseState.DONE,
        Goal.ABORTED: release.state is ReleaseState.ABORTED,
        Goal.FROZEN: bool(release.frozen) and release.refreeze_from is None,
    }
    return tuple(promise for promise in release.promises if reached[promise.goal])


def _not_running(release: Release, wish: str) -> Declined:
    advice = {
        ReleaseState.RUNNING: "is running",
        ReleaseState.HALTED: "is halted; an approver can say `/release resume`",
        ReleaseState.ABORTING: "is being aborted",
        ReleaseState.ABORTED: "was aborted; open a new issue for another try",
        ReleaseState.DONE: "is finished",
    }
    return Declined(why=f"You cannot {wish} now: the release of {release.version} {advice[release.state]}.")
