"""Push branch and tag upstream, in one atomic push of exact ids with explicit leases (invariants I1 and I2).

1. Without an intent of our own, a ref that already stands at its wanted id was pushed by somebody else: halt.
2. In the last moment all of this is looked at again: what is in the fork, the upstream refs, our rules, the signature, the approval and the
   go, the rights of those who gave them, and what python.org lists. Its files are not read again: what it lists has to be what it listed
   when every byte was read, and that has to be a little while ago (``bot.fetching.lasting``); else nothing is pushed, and every byte is
   read twice again first.
3. One push. Its exit status says nothing that is relied upon: every ref is read back.
4. All refs at their wanted ids: done. None of them: it may be tried again. Anything else: halt and alarm.
"""

import base64
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from bot import authenticity, fetching, freezing, people, publishing
from bot.command_types import Approve, ApproveStage, Go
from bot.effects import Nature
from bot.errors import Refused, Unavailable
from bot.journal import Json
from bot.packages import on_pypi, own_tag
from bot.profile.types import StepName
from bot.push_plan import heads, objects
from bot.release.facts import Pushed, Tag
from bot.release.gate import valid_go
from bot.release.ids import ObjectId, Ref, tag_ref
from bot.release.model import Release
from bot.release.orders import valid_approval
from bot.release.outcomes import Evidence, Failed, Outcome, Passed, Waiting
from bot.release.published import PublicationSeen
from bot.services.git import PushReport
from bot.tools import Tools


class PushedOtherwise(Exception):
    """Upstream stands neither where it stood before our push nor where our push would have put it."""


class NotNow(Exception):
    """The last look found a reason not to push; ``outcome`` says which."""

    def __init__(self, outcome: Failed | Waiting) -> None:
        """Keep the answer."""
        super().__init__(outcome.why)
        self.outcome = outcome


async def advance(release: Release, tools: Tools) -> Outcome:
    """Bring the approved ids upstream, or say why not."""
    tag = release.tag
    if tag is None or not release.plan:
        return Failed(why="There is no push plan.", retryable=True, look_again=tools.poll())
    begun = await tools.door.intended("push", "push")
    problem = None if begun else await _last_look(release, tag, tools)
    if problem:
        return problem
    try:
        await _push(release, tag, tools, look=begun)
    except NotNow as reason:
        return _turned_back(reason.outcome)
    except PushedOtherwise as other:
        return _alarm(str(other))
    except Refused as refusal:
        return Failed(why=f"GitHub refused the push, so nothing was changed: {refusal}", retryable=False, look_again=tools.poll())
    return Passed(
        why="All of the push plan is upstream, at exactly the approved ids.",
        evidence=tuple(Evidence(what=line.ref, value=line.new, url=_page(line.ref, release, tools)) for line in release.plan),
        facts=(Pushed(plan=release.plan, at=tools.now()),),
    )


def _page(ref: Ref, release: Release, tools: Tools) -> str:
    """Return the page of a ref; a branch and a tag may have the same name."""
    _, kind, name = ref.split("/", 2)
    return tools.page(release.repository, *(("releases", "tag") if kind == "tags" else ("tree",)), name)


async def _push(release: Release, tag: Tag, tools: Tools, *, look: bool) -> None:
    async def landed() -> Mapping[str, Json] | None:
        return _landed(release, await _upstream(release, tools))

    async def push() -> Mapping[str, Json]:
        # An intent from an earlier life was checked then, not now.
        problem = await _last_look(release, tag, tools) if look else None
        if problem:
            raise NotNow(problem)
        await (own_tag.provide if release.made_its_tag else heads.bring)(release, tag, tools)
        report = await _pushed(release, tag, tools)
        done = await landed()
        if done is None and report.uncertain:
            # The server may still be at work on it: whether it took effect is seen at the next look.
            raise Unavailable(f"It is not known yet whether the push took effect: {report.message}")
        if done is None:
            raise Refused(report.message)
        return done

    parameters: Mapping[str, Json] = {
        "repository": release.repository,
        "plan": [{"ref": line.ref, "old": line.old, "new": line.new} for line in release.plan],
    }
    await tools.door("push", "push", nature=Nature.FINDABLE, parameters=parameters, find=landed, do=push)


async def _pushed(release: Release, tag: Tag, tools: Tools) -> PushReport:
    """Push with a token that can do nothing else and lives no longer than the push."""
    workflows = await objects.touches_workflows(release, tag, tools)
    token = await tools.github.push_token(release.repository, workflows=workflows)
    try:
        return await tools.git.push(release.repository, release.plan, token, known=objects.upstream(release))
    finally:
        with suppress(Refused, Unavailable):
            await tools.github.revoke(token)


def _landed(release: Release, upstream: Mapping[Ref, str]) -> Mapping[str, Json] | None:
    if all(upstream.get(line.ref) == line.new for line in release.plan):
        return {"refs": {line.ref: line.new for line in release.plan}}
    if all(upstream.get(line.ref) == line.old for line in release.plan):
        return None
    seen = ", ".join(f"{line.ref} is {upstream.get(line.ref, 'absent')}" for line in release.plan)
    raise PushedOtherwise(f"Upstream stands neither before nor after our push ({seen}).")


async def _upstream(release: Release, tools: Tools) -> Mapping[Ref, str]:
    return await tools.git.refs(release.repository, *(line.ref for line in release.plan))


def _turned_back(outcome: Failed | Waiting) -> Failed:
    """Return why a push that was begun earlier, and did not land, goes no further now: until it does, people may still turn back."""
    if isinstance(outcome, Failed):
        return outcome
    return Failed(why=outcome.why, retryable=True, look_again=outcome.look_again, facts=outcome.facts)


async def _last_look(release: Release, tag: Tag, tools: Tools) -> Failed | Waiting | None:
    """Look again at everything that a push rests on; return the first thing that is no longer so."""
    began = tools.now()
    return (
        await _refs_problem(release, tag, tools)
        or await _rules_problem(release, tools)
        or await _authenticity_problem(release, tag, tools)
        or await _approval_problem(release, tools)
        or await _go_problem(release, tools)
        or await _publication_problem(release, tools, began)
        or await _index_problem(release, tools)
    )


async def _refs_problem(release: Release, tag: Tag, tools: Tools) -> Failed | None:
    upstream = await _upstream(release, tools)
    for line in release.plan:
        seen = upstream.get(line.ref)
        if seen == line.new:
            return _alarm(f"{line.ref} already is {line.new} upstream, pushed outside the bot.")
        if seen != line.old:
            return _alarm(f"{line.ref} is {seen or 'absent'} upstream, although the approved plan starts from {line.old or 'absent'}.")
    if release.made_its_tag:
        problem = await own_tag.problem(release, tag, tools)
        return _alarm(problem) if problem else None
    gone = await _fork_problem(release, tag, tools)
    if not gone:
        return None
    # Before the push was begun, those who watch the tag and the plan ask for it; from then on they take them as they are.
    begun = await tools.door.intended("push", "push")
    return Failed(why=gone, diagnostics=("Push it there again.",) if begun else (), retryable=not begun, look_again=tools.poll())


async def _fork_problem(release: Release, tag: Tag, tools: Tools) -> str:
    """Return in one sentence that the fork no longer has what was approved, or an empty string."""
    ref = tag_ref(tag.name)
    in_fork: str | None = (await tools.git.refs(tag.fork, ref)).get(ref)
    if in_fork != tag.object:
        return f"The tag in {tag.fork} is {in_fork or 'gone'}, no longer the approved {tag.object}."
    return await heads.moved(release, tag, tools)


async def _rules_problem(release: Release, tools: Tools) -> Failed | None:
    for frozen in release.frozen:
        problem = await freezing.problem(tools, release.repository, freezing.hold_of(frozen))
        if problem:
            return _alarm(f"The freeze of {frozen.ref} was changed from outside: {problem}")
    if not release.frozen:
        return Failed(why="Nothing is frozen, so nothing is pushed.", retryable=True, look_again=tools.poll())
    return None


async def _authenticity_problem(release: Release, tag: Tag, tools: Tools) -> Failed | None:
    """See that the signature still counts: a key may have been revoked, or its owner left, since the audit."""
    verdict = await authenticity.verify(base64.b64decode(tag.content), release, tools)
    if verdict.good:
        return None
    why = f"The tag object {tag.object} is no longer authentic: {verdict.why}"
    return Failed(why=why, diagnostics=verdict.diagnostics, retryable=False, look_again=tools.poll())


async def _approval_problem(release: Release, tools: Tools) -> Failed | None:
    approval = valid_approval(release, tools.now(), timedelta(seconds=tools.profile.timing.approval_valid))
    if approval is None:
        return Failed(why="The approval has expired; please approve again.", retryable=True, look_again=tools.poll())
    refusal = await people.no_longer_entitled(Approve(sha=ObjectId(approval.tag)), approval.by, release, tools)
    if refusal:
        return Failed(why=f"The approval by {approval.by.login} no longer counts: {refusal}", retryable=False, look_again=tools.poll())
    return None


async def _go_problem(release: Release, tools: Tools) -> Failed | None:
    """See that the go, where one is needed, was given for exactly these results by somebody who still may."""
    if not release.has_step(StepName.GO) and not release.has_step(StepName.PACKAGE_RELEASE):
        return None
    go = valid_go(release)
    if go is None:
        return Failed(why="The go was not given for these results.", retryable=True, look_again=tools.poll())
    word = Go(sha=ObjectId(go.tag)) if release.has_step(StepName.GO) else ApproveStage(artifact=release.version.package)
    refusal = await people.no_longer_entitled(word, go.by, release, tools)
    if refusal:
        return Failed(why=f"The go by {go.by.login} no longer counts: {refusal}", retryable=False, look_again=tools.poll())
    return None


async def _publication_problem(release: Release, tools: Tools, now: datetime) -> Failed | Waiting | None:
    """See that python.org, where the release is published, still lists exactly what was confirmed a while ago; else it is confirmed anew.

    That it was too long ago is nobody's fault and needs nobody.
    """
    if not release.has_step(StepName.PUBLICATION):
        return None
    seen = release.publication
    if seen is None or seen.again is None:
        return Failed(why="The publication was not confirmed.", retryable=True, look_again=tools.poll())
    listed = await publishing.listed(release, tools)
    anew = PublicationSeen(rows=publishing.NOTHING_READ, first=tools.now(), right=False)
    if listed.rows == seen.rows and now - seen.again <= fetching.lasting(tools.profile.timing):
        return None
    if listed.rows == seen.rows:
        why = f"Everything was read last at {seen.again:%Y-%m-%d %H:%M:%S} UTC; before the push it is read again."
        return Waiting(on="python.org", why=why, look_again=tools.now(), facts=(anew,))
    changed = ", ".join(publishing.changes(seen.rows, listed))
    why = f"Since the publication on python.org was confirmed, what it lists of {release.version} changed: {changed}."
    advice = "Nothing was pushed. Everything that is listed now is read and confirmed again, and then pushed; find out who changed it."
    return Failed(why=why, diagnostics=(advice,), retryable=False, look_again=tools.poll(), facts=(anew,))


async def _index_problem(release: Release, tools: Tools) -> Failed | None:
    """See that PyPI, where a package is published, still has exactly the files that were built."""
    if not release.has_step(StepName.PYPI):
        return None
    seen = await on_pypi.look(release, tools)
    if seen.differs:
        return _alarm(" ".join(seen.differs))
    if seen.missing:
        # The answer may come from a cache that does not know of them yet, and then it heals by itself.
        why = f"PyPI does not show {', '.join(seen.missing)} any more, so nothing is pushed."
        before = release.step(StepName.PUSH)
        since = before.since if before.why == why and before.since else tools.now()
        patient = tools.now() < since + timedelta(seconds=tools.profile.timing.remind)
        return Failed(why=why, diagnostics=("Find out who took it away.",), retryable=patient, look_again=tools.poll())
    return None


def _alarm(why: str) -> Failed:
    advice = "Nothing more was pushed and the freeze stays. Find out who moved the ref and why, then abort, or resume when it is as it was."
    return Failed(why=why, diagnostics=(advice,), retryable=False, halt=True)
