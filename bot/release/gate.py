"""Hold a step until its findings are explained, acknowledged or waived (invariant I9). Pure."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bot.release.facts import Build, Checked, Finding, PlannedRef, Severity
from bot.release.model import Go, Release, Waiver

DIGEST_LENGTH: Final = 12

AFTER_GO: Final = frozenset({"windows-publish", "store", "checklist"})
"""The steps that come only after the go, so that what is made or said in them cannot be part of it."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why a step may not count as passed yet: who can lift that, and with which line."""

    who: tuple[str, ...]
    why: str
    say: str


def gate(release: Release, step: str) -> Hold | None:
    """Return what holds a step that has passed, or None.

    The tag is held too while what was waived before it existed was waived by nobody but the one who now turns out to have made it.
    """
    for checked in release.checked:
        if checked.step == step:
            return _waiver_hold(release, checked) or _acknowledgement_hold(release, checked)
        if step == "tag" and release.tag and checked.subject != release.tag.object and (hold := _waiver_hold(release, checked)):
            return hold
    return None


def findings_digest(checked: Checked, findings: Sequence[Finding]) -> str:
    """Return the short digest by which a person names exactly these findings of exactly this subject."""
    rows = sorted(json.dumps(_row(finding), sort_keys=True) for finding in findings)
    return _digest([checked.step, checked.subject, *rows])


def _row(finding: Finding) -> dict[str, object]:
    """Return what a digest binds to; findings without places keep the digest that they had before there were any."""
    row = asdict(finding)
    return row if finding.places else {name: value for name, value in row.items() if name != "places"}


def plan_digest(tag: str, plan: Sequence[PlannedRef]) -> str:
    """Return the digest of a push plan: what an approval binds to."""
    return _digest([tag, *(f"{line.ref} {line.old or 'absent'} {line.new}" for line in plan)])


def results_digest(release: Release) -> str:
    """Return the digest of everything that was built for the pinned tag and said about it by hand: what a go binds to."""
    before_go = (build for build in release.builds if build.step not in AFTER_GO)
    builds = (f"{build.step} {build.tag} {build.commit} {build.url} {_files(build)}" for build in before_go)
    work = (f"{done.name} {done.tag} done {done.sha256}" for done in release.hand_work if done.name not in AFTER_GO)
    deferred = (f"{one.name} {one.tag} deferred" for one in release.deferrals if one.name not in AFTER_GO)
    return _digest([release.tag.object if release.tag else "", *sorted(builds), *sorted(work), *sorted(deferred)])


def _files(build: Build) -> str:
    return " ".join(f"{file.name}={file.sha256}" for file in build.files)


def valid_go(release: Release) -> Go | None:
    """Return the go of the pinned tag, if it was given for exactly the results there are."""
    go = release.go
    if go is None or release.tag is None or (go.tag, go.results) != (release.tag.object, results_digest(release)):
        return None
    return go


def to_acknowledge(release: Release) -> tuple[tuple[Checked, str], ...]:
    """Return each check with findings to acknowledge that nobody acknowledged yet, with their digest."""
    return tuple(
        (checked, digest)
        for checked in release.checked
        if (digest := _open_digest(checked, Severity.ACKNOWLEDGE)) and not _acknowledged(release, digest)
    )


def to_waive(release: Release, check: str) -> tuple[tuple[Checked, str], ...]:
    """Return where this check failed and nobody has waived it yet, with the digest of what a waiver would let pass."""
    return tuple((checked, digest) for checked in release.checked for name, _, digest in _failed(release, checked) if name == check)


def _failed(release: Release, checked: Checked) -> Iterator[tuple[str, tuple[Finding, ...], str]]:
    """Yield each check that failed without a waiver: its name, its findings and their digest."""
    failed = [f for f in checked.findings if f.severity is Severity.WAIVER]
    for check in dict.fromkeys(finding.check for finding in failed):
        mine = tuple(finding for finding in failed if finding.check == check)
        digest = findings_digest(checked, mine)
        if not any((w.check, w.sha, w.digest) == (check, checked.subject, digest) and _is_second(release, w) for w in release.waivers):
            yield check, mine, digest


def _is_second(release: Release, waiver: Waiver) -> bool:
    """Tell whether a waiver came from a second person; who made the tag may be known only after the waiver."""
    return waiver.by.id != release.starter.id and (release.tag is None or waiver.by.id != release.tag.owner)


def _waiver_hold(release: Release, checked: Checked) -> Hold | None:
    for check, findings, _ in _failed(release, checked):
        what = " ".join(finding.what for finding in findings)
        why = f"{what} This stops the release unless it is mended, or waived with a reason by somebody who neither started it nor tagged."
        return Hold(who=_menders(release), why=why, say=f"/release waive {check} {checked.subject} REASON")
    return None


def _menders(release: Release) -> tuple[str, ...]:
    """Return the logins of those whose release it is, who can mend what was found, and of those who may waive it."""
    barred = {release.starter.id, release.tag.owner if release.tag else None}
    seconds = (actor.login for actor in release.approvers if actor.id not in barred)
    return tuple(dict.fromkeys((*managers(release), *seconds)))


def _acknowledgement_hold(release: Release, checked: Checked) -> Hold | None:
    digest = _open_digest(checked, Severity.ACKNOWLEDGE)
    if not digest or _acknowledged(release, digest):
        return None
    noted = [f for f in checked.findings if f.severity is Severity.ACKNOWLEDGE]
    what = "; ".join(finding.what.rstrip(".") for finding in noted)
    return Hold(who=managers(release), why=f"Please take note: {what}.", say=f"/release ack {digest}")


def _open_digest(checked: Checked, severity: Severity) -> str:
    found = tuple(f for f in checked.findings if f.severity is severity)
    return findings_digest(checked, found) if found else ""


def _acknowledged(release: Release, digest: str) -> bool:
    return any(ack.digest == digest for ack in release.acknowledgements)


def managers(release: Release) -> tuple[str, ...]:
    """Return the logins of those whose release it is."""
    return tuple(dict.fromkeys(actor.login for actor in (release.starter, release.manager) if actor))


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGEST_LENGTH]
