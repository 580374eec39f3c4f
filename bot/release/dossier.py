"""The dossier of a release: every id, hash, run, decision and duration in one document, by which it can be checked years later. Pure.

1. A dossier closes when the last step before the wrap-up has ended, and it is known of every run which one it is. What people say or do
   afterwards is not part of it, so it never changes again, and its digest can be published while the release still tidies up.
2. Its keys are written out one by one and never change within a format: the digests that were published depend on every one of them.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, assert_never

from bot.journal import Document, canonical
from bot.release.facts import NOT_SEEN, Build, Checked, PublicationSeen, Run, Tag
from bot.release.model import (
    Acknowledgement,
    Actor,
    Approval,
    Attempt,
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

Decision = Approval | Acknowledgement | Waiver | Go | HandWork | Deferral | Recall
"""What somebody decided in a comment."""

FORMAT: Final = 1

AFTERWARDS: Final = "wrap-up"
"""The step that publishes the digest, so that what it does cannot be part of the document."""

ENDED: Final = (StepStatus.PASSED, StepStatus.NOT_APPLICABLE)


def closed(release: Release) -> datetime | None:
    """Return when the last step before the wrap-up ended; None while that is to come, or a run has to be found to be named."""
    steps = _before(release)
    if any(run.id == NOT_SEEN and not run.over for run in release.runs):
        return None
    if release.state is not ReleaseState.ABORTED and not all(step.status in ENDED for step in steps):
        return None
    return max((step.ended for step in steps if step.ended), default=None)


def dossier(release: Release) -> Document:
    """Return everything that is known of a release, as a JSON object; the same release gives the same one at any time.

    Times are ISO 8601 in UTC, lengths of time whole seconds; what is not there is null. ``sha256sum`` of what ``written`` makes of it is
    its ``digest``.
    """
    tag = release.tag
    return {
        "format": FORMAT,
        "release": release.id,
        "project": release.project,
        "repository": release.repository,
        "issue": {"repository": release.home, "number": release.issue},
        "version": str(release.version),
        "kind": release.kind.value,
        "series": release.series,
        "branch": release.branch,
        "outcome": _outcome(release),
        "opened": _time(release.opened),
        "closed": _time(closed(release)),
        "seconds": _seconds(release.opened, closed(release)),
        "starter": _actor(release.starter),
        "manager": _actor(release.manager) if release.manager else None,
        "attempt": release.attempt,
        "earlier_attempts": [_attempt(one) for one in release.past],
        "tag": _tag(tag) if tag else None,
        "plan": [{"ref": line.ref, "old": line.old, "new": line.new} for line in release.plan],
        "pushed": _time(release.pushed),
        "checks": [_checked(one) for one in release.checked],
        **_said(release),
        "runs": [_run(one) for one in release.runs],
        "builds": [_build(one) for one in release.builds],
        "publication": _publication(release.publication) if release.publication else None,
        "steps": [_step(step) for step in _before(release)],
        "people": [_act(act) for act in people(release)],
    }


def written(document: Document) -> str:
    """Return a dossier exactly as it is served, in ASCII without a line's end."""
    return canonical(document)


def digest(document: Document) -> str:
    """Return the SHA-256 of a dossier as it is served, in hexadecimal."""
    return hashlib.sha256(written(document).encode("ascii")).hexdigest()


def people(release: Release) -> tuple[HumanAct, ...]:
    """Return what people were asked for until the dossier closed; what was not done by then is not done for ever."""
    end = closed(release)
    if end is None:
        return tuple(act for act in release.people if act.step != AFTERWARDS)
    rows = (act for act in release.people if act.step != AFTERWARDS and act.since <= end)
    return tuple(replace(act, done=None) if act.done and act.done > end else act for act in rows)


def decisions(release: Release) -> tuple[Decision, ...]:
    """Return what people decided until the dossier closed."""
    return tuple(one for some in _decisions(release).values() for one in some)


def _before(release: Release) -> tuple[StepState, ...]:
    return tuple(step for step in release.steps if step.name != AFTERWARDS)


def _outcome(release: Release) -> str:
    if release.state is ReleaseState.ABORTED:
        return "aborted"
    return "released" if release.pushed and closed(release) else "under way"


def _said(release: Release) -> Document:
    """Return what people decided, each with the comment in which they said so."""
    said = {name: [_decision(one) for one in some] for name, some in _decisions(release).items()}
    return {**said, "go": next(iter(said["go"]), None)}


def _decisions(release: Release) -> dict[str, tuple[Decision, ...]]:
    end = closed(release)
    every: dict[str, tuple[Decision, ...]] = {
        "approvals": release.approvals,
        "acknowledgements": release.acknowledgements,
        "waivers": release.waivers,
        "hand_work": release.hand_work,
        "deferrals": release.deferrals,
        "go": (release.go,) if release.go else (),
        "recalls": release.recalls,
    }
    return {name: tuple(one for one in some if end is None or one.at <= end) for name, some in every.items()}


def _decision(one: Decision) -> Document:
    by: Document = {"by": _actor(one.by), "at": _time(one.at), "comment": one.comment}
    match one:
        case Approval():
            return {**by, "tag": one.tag, "plan": one.plan}
        case Acknowledgement():
            return {**by, "findings": one.digest}
        case Waiver():
            return {**by, "check": one.check, "sha": one.sha, "findings": one.digest, "reason": one.reason}
        case Go():
            return {**by, "tag": one.tag, "results": one.results}
        case HandWork():
            return {**by, "step": one.name, "tag": one.tag, "sha256": one.sha256 or None}
        case Deferral():
            return {**by, "step": one.name, "tag": one.tag, "reason": one.reason}
        case Recall():
            return {**by, "reason": one.reason}
        case _:
            assert_never(one)


def _tag(tag: Tag) -> Document:
    return {
        "object": tag.object,
        "commit": tag.commit,
        "name": tag.name,
        "fork": tag.fork,
        "owner": tag.owner,
        "content": tag.content,
        "signature": tag.signature.value,
        "signer": tag.signer or None,
        "tagger": tag.tagger or None,
        "dated": _time(tag.dated),
    }


def _checked(checked: Checked) -> Document:
    findings = [
        {
            "check": finding.check,
            "rule": finding.rule,
            "word": finding.severity.value,
            "what": finding.what,
            "count": finding.count,
            "subjects": list(finding.subject),
        }
        for finding in checked.findings
    ]
    return {"step": checked.step, "subject": checked.subject, "findings": findings}


def _run(run: Run) -> Document:
    """Leave out whether it is over: a run of an attempt that lapsed may end at any time."""
    return {
        "step": run.step,
        "purpose": run.purpose,
        "number": run.number,
        "attempt": run.attempt,
        "id": run.id,
        "name": run.name,
        "url": run.url,
        "ordered": dict(run.ordered),
        "at": _time(run.at),
    }


def _build(build: Build) -> Document:
    files = [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in build.files]
    return {"step": build.step, "tag": build.tag, "commit": build.commit, "files": files, "url": build.url or None, "at": _time(build.at)}


def _publication(seen: PublicationSeen) -> Document:
    return {"rows": seen.rows, "first": _time(seen.first), "again": _time(seen.again), "right": seen.right}


def _attempt(attempt: Attempt) -> Document:
    return {
        "attempt": attempt.number,
        "why": attempt.why,
        "ended": _time(attempt.ended),
        "tag": _tag(attempt.tag) if attempt.tag else None,
        "head": attempt.head,
        "steps": [_step(step) for step in attempt.steps if step.name != AFTERWARDS],
    }


def _step(step: StepState) -> Document:
    return {
        "step": step.name,
        "state": step.status.value,
        "why": step.why,
        "began": _time(step.began),
        "ended": _time(step.ended),
        "seconds": _seconds(step.began, step.ended),
        "evidence": [{"what": one.what, "value": one.value, "url": one.url or None} for one in step.evidence],
        "diagnostics": list(step.diagnostics),
    }


def _act(act: HumanAct) -> Document:
    return {
        "step": act.step,
        "who": list(act.who),
        "what": act.what,
        "since": _time(act.since),
        "done": _time(act.done),
        "seconds": _seconds(act.since, act.done),
    }


def _actor(actor: Actor) -> Document:
    return {"id": actor.id, "login": actor.login}


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    """Return a length of time; nothing ends before it began, whatever the clocks say."""
    return max(0, round((end - start).total_seconds())) if start and end else None


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
