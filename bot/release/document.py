"""What other programs are told about a release: a stable document, the same on the web and on the command line. Pure."""

from datetime import UTC, datetime

from bot.journal import Document
from bot.release.model import HumanAct, Look, Release, StepState


def document(release: Release) -> Document:
    """Return a release as a JSON object; keys may be added to it, never renamed or removed.

    ``{project, version, kind, state, attempt, frozen: [{ref, head, since}], tag: {object, commit, signature} | null,
    plan: [{ref, old, new}], steps: [{name, state, on, why, since, evidence: [{what, value, url}]}],
    people: [{who, what, since, done}], confirmed_again: [{at, differences, news}]}``. ``head`` and ``old``
    are null for a ref that does not exist. Times are ISO 8601 in UTC.
    """
    tag = release.tag
    return {
        "project": release.project,
        "version": str(release.version),
        "kind": release.kind.value,
        "state": release.state.value,
        "attempt": release.attempt,
        "frozen": [{"ref": frozen.ref, "head": frozen.head, "since": _time(frozen.since)} for frozen in release.frozen],
        "tag": {"object": tag.object, "commit": tag.commit, "signature": tag.signature.value} if tag else None,
        "plan": [{"ref": planned.ref, "old": planned.old, "new": planned.new} for planned in release.plan],
        "steps": [_step(step) for step in release.steps],
        "people": [_act(act) for act in release.people],
        "confirmed_again": [_look(look) for look in release.later.looks],
    }


def _step(step: StepState) -> Document:
    return {
        "name": step.name,
        "state": step.status.value,
        "on": list(step.on),
        "why": step.why,
        "since": _time(step.since),
        "evidence": [{"what": one.what, "value": one.value, "url": one.url} for one in step.evidence],
    }


def _act(act: HumanAct) -> Document:
    return {"who": list(act.who), "what": act.what, "since": _time(act.since), "done": _time(act.done)}


def _look(look: Look) -> Document:
    return {"at": _time(look.at), "differences": list(look.differences), "news": list(look.news)}


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
